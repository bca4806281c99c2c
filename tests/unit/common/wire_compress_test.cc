// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <google/protobuf/stubs/logging.h>
#include <gtest/gtest.h>
#include <zstd.h>

#include "common/wire/compress.h"
#include "common/wire/limits.h"
#include "tests/support/random_messages.h"

namespace foreflow::wire {
namespace {

using ::testing::HasSubstr;

std::string zstd_frame(const std::string& raw) {
  std::string frame(ZSTD_compressBound(raw.size()), '\0');
  frame.resize(ZSTD_compress(frame.data(), frame.size(), raw.data(), raw.size(), 3));
  return frame;
}

TEST(WireCompress, AnyReportComesBackEqual) {
  test::RandomMessages random(4);
  for (int i = 0; i < 300; ++i) {
    const auto report = random.report();
    const auto compressed = compress(report, 42);
    ASSERT_TRUE(compressed) << compressed.error().message;
    EXPECT_EQ(compressed->boot_id, 42u);
    EXPECT_EQ(compressed->sequence, report.sequence);
    const auto back = decompress(*compressed);
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_TRUE(*back == report);
  }
}

TEST(WireCompress, AReportOfEveryVmThatFitsIsSmall) {
  Report report;
  report.sequence = 1;
  report.vms.resize(kMostVms);
  for (std::uint32_t i = 0; i < kMostVms; ++i) report.vms[i].vm = VmId{i};
  const auto compressed = compress(report, 1);
  ASSERT_TRUE(compressed);
  EXPECT_LT(compressed->zstd.size(), 64u << 10);
  EXPECT_EQ(decompress(*compressed)->vms.size(), kMostVms);
}

TEST(WireCompress, TooLargeAReportIsTheCallersMistake) {
  Report report;
  report.vms.resize(kMostVms + 1);
  const auto compressed = compress(report, 1);
  ASSERT_FALSE(compressed);
  EXPECT_EQ(compressed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(compressed.error().message, HasSubstr("4097 VMs, at most 4096 fit"));
}

TEST(WireCompress, EveryTruncationIsRefused) {
  const auto whole = compress(test::RandomMessages(5).report(), 1);
  for (std::size_t size = 0; size < whole->zstd.size(); ++size) {
    auto cut = *whole;
    cut.zstd.resize(size);
    const auto report = decompress(cut);
    ASSERT_FALSE(report) << size << " of " << whole->zstd.size();
    EXPECT_EQ(report.error().code, ErrorCode::kMalformed);
  }
}

TEST(WireCompress, TheFramesContentMustBeAsLongAsSaid) {
  auto wrong = *compress(test::RandomMessages(6).report(), 1);
  wrong.raw_size += 1;
  EXPECT_THAT(decompress(wrong).error().message, HasSubstr("raw_size says"));
}

TEST(WireCompress, ABombIsRefusedBeforeAnythingIsAllocated) {
  CompressedReport bomb{.boot_id = 1, .sequence = 1, .zstd = zstd_frame(std::string(kLargestRawReport + 1, '\0'))};
  bomb.raw_size = kLargestRawReport + 1;
  EXPECT_THAT(decompress(bomb).error().message, HasSubstr("expected at most 16777216"));
  bomb.raw_size = 10;
  EXPECT_THAT(decompress(bomb).error().message, HasSubstr("raw_size says 10"));
}

TEST(WireCompress, CompressedNonsenseIsRefused) {
  CompressedReport nonsense{.boot_id = 1, .sequence = 8, .raw_size = 4, .zstd = zstd_frame("\xff\xff\xff\xff")};
  EXPECT_THAT(decompress(nonsense).error().message, HasSubstr("report 8: 4 bytes that are no Report message"));
}

TEST(WireCompress, DamagedBytesNeverCrash) {
  const google::protobuf::LogSilencer silence;  // it reports each string that is no UTF-8
  test::RandomMessages random(7);
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto compressed = *compress(random.report(), 1);
    for (auto n = 1 + random.below(4); n > 0; --n)
      compressed.zstd[random.below(compressed.zstd.size())] = static_cast<char>(random.below(256));
    refused += decompress(compressed) ? 0 : 1;
    CompressedReport garbage{.boot_id = 1, .sequence = 1, .raw_size = random.below(1'000), .zstd = random.bytes(300)};
    EXPECT_FALSE(decompress(garbage));
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace foreflow::wire
