// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/capture_file.h"

#include <cstring>
#include <fstream>
#include <vector>

#include <gtest/gtest.h>

#include "dataplane/offline/flow_index.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::offline {
namespace {

constexpr std::uint32_t kMicroseconds = 0xa1b2c3d4, kNanoseconds = 0xa1b23c4d, kSwapped = 0xd4c3b2a1;

std::uint32_t swapped(std::uint32_t value) { return __builtin_bswap32(value); }

// A capture of Ethernet frames, record by record. A file of `kSwapped` is written in the other byte order.
class Writer {
 public:
  explicit Writer(std::uint32_t magic, std::uint32_t snap_length = 65'535) : magic_(magic) {
    for (const auto word : {0xa1b2c3d4u, 0x00040002u, 0u, 0u, snap_length, 1u}) put(word);
    std::memcpy(bytes_.data(), &magic_, sizeof magic_);
    const std::uint16_t version[] = {std::uint16_t{2}, std::uint16_t{4}};
    const std::uint16_t other_version[] = {std::uint16_t{0x200}, std::uint16_t{0x400}};
    std::memcpy(bytes_.data() + 4, magic == kSwapped ? other_version : version, 4);
  }
  Writer& record(std::uint32_t seconds, std::uint32_t fraction, const std::string& bytes, std::uint32_t wire_size) {
    return header(seconds, fraction, static_cast<std::uint32_t>(bytes.size()), wire_size).raw(bytes);
  }
  Writer& header(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t kept, std::uint32_t wire_size) {
    for (const auto word : {seconds, fraction, kept, wire_size}) put(word);
    return *this;
  }
  Writer& raw(const std::string& bytes) {
    bytes_ += bytes;
    return *this;
  }
  std::filesystem::path save(const std::filesystem::path& file) const {
    std::ofstream(file, std::ios::binary) << bytes_;
    return file;
  }

 private:
  void put(std::uint32_t word) {
    if (magic_ == kSwapped) word = swapped(word);
    bytes_.append(reinterpret_cast<const char*>(&word), sizeof word);
  }

  std::uint32_t magic_;
  std::string bytes_;
};

struct Read {
  std::vector<std::string> frames;
  std::vector<std::uint64_t> times;
  std::vector<std::uint32_t> wire_sizes;
  std::string damage;
};

Read read(const std::filesystem::path& file) {
  auto capture = CaptureFile::open(file);
  if (!capture) return {.damage = capture.error().message};
  Read all;
  for (CaptureFile::Frame frame; capture->next(frame);) {
    all.frames.emplace_back(frame.bytes.begin(), frame.bytes.end());
    all.times.push_back(frame.time_ns);
    all.wire_sizes.push_back(frame.wire_size);
  }
  all.damage = capture->damage();
  return all;
}

class CaptureFiles : public testing::Test {
 protected:
  std::filesystem::path file() const { return directory_ / "a.pcap"; }

 private:
  test::TemporaryDirectory directory_;
};

TEST_F(CaptureFiles, FramesComeInOrderWithTimesAndSizesInEitherByteOrder) {
  for (const auto magic : {kMicroseconds, kNanoseconds, kSwapped}) {
    const auto all = read(Writer(magic).record(7, 5, "first", 5).record(8, 0, "second", 1'000).save(file()));
    EXPECT_EQ(all.frames, (std::vector<std::string>{"first", "second"}));
    EXPECT_EQ(all.wire_sizes, (std::vector<std::uint32_t>{5, 1'000}));
    const std::uint64_t fraction = magic == kNanoseconds ? 5 : 5'000;
    EXPECT_EQ(all.times, (std::vector<std::uint64_t>{7'000'000'000 + fraction, 8'000'000'000}));
    EXPECT_EQ(all.damage, "");
  }
}

TEST_F(CaptureFiles, ARecordIsCutToTheSnapLengthThatTheFileStates) {
  for (const auto magic : {kMicroseconds, kSwapped})
    EXPECT_EQ(read(Writer(magic, 3).record(1, 1, "abcdef", 6).record(1, 2, "x", 1).save(file())).frames,
              (std::vector<std::string>{"abc", "x"}));
}

TEST_F(CaptureFiles, WhatComesBeforeADamageIsUsed) {
  const auto before = [] { return Writer(kMicroseconds).record(1, 1, "whole", 5); };
  for (const auto& damaged : {before().header(1, 2, 40, 40).raw("less"), before().raw("short"),
                              before().header(1, 2, 0xffff'fff0, 40).raw("more than there can be")}) {
    const auto all = read(damaged.save(file()));
    EXPECT_EQ(all.frames, std::vector<std::string>{"whole"});
    EXPECT_NE(all.damage, "");
  }
}

TEST_F(CaptureFiles, WhatIsLeftBehindInALongFileIsNotReadAgainButTheRestIsThere) {
  Writer writer(kMicroseconds, 262'144);
  constexpr int kRecords = 100;  // 20 MB: several windows
  for (int i = 0; i < kRecords; ++i) writer.record(1, 0, std::string(200'000, static_cast<char>('!' + i)), 200'000);
  const auto all = read(writer.save(file()));
  ASSERT_EQ(all.frames.size(), kRecords);
  for (int i = 0; i < kRecords; ++i) EXPECT_EQ(all.frames[i], std::string(200'000, static_cast<char>('!' + i)));
}

TEST_F(CaptureFiles, AnotherFileIsRefusedWithItsName) {
  std::ofstream(file()) << "a text that is longer than the header of a capture would be";
  EXPECT_NE(read(file()).damage.find("a.pcap"), std::string::npos);
  EXPECT_NE(read(file().parent_path() / "missing.pcap").damage.find("missing.pcap"), std::string::npos);
}

TEST(FlowIndex, EveryFlowKeepsItsPlaceWhileTheIndexGrows) {
  constexpr std::uint32_t kFlows = 5'000;
  std::vector<classify::FlowEnds> flows;
  FlowIndex index;
  const auto ends_of = [](std::uint32_t i) {
    classify::FlowEnds ends{.port = {static_cast<std::uint16_t>(i / 2), 80}, .ip_protocol = 6};
    ends.address[i % 2].bytes[15] = 1;  // pairs differ in one address alone
    return ends;
  };
  const auto place_of = [&](std::uint32_t i) {
    return index.find_or_add(
        ends_of(i),
        static_cast<std::uint32_t>(flows.size()), [&flows](std::uint32_t at) -> const auto& { return flows[at]; });
  };
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    EXPECT_EQ(place_of(i), i);
    flows.push_back(ends_of(i));
  }
  for (std::uint32_t i = 0; i < kFlows; ++i) EXPECT_EQ(place_of(i), i);
}

}  // namespace
}  // namespace foreflow::offline
