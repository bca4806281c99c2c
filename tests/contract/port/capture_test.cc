// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/capture.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::port {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Capture : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "foreflow-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string write(std::string_view bytes) {
    const auto file = directory_ / "t.pcap";
    std::ofstream(file, std::ios::binary) << bytes;
    return file.string();
  }

  // Classic pcap, little endian, microseconds, `packets` packets of 60 zero bytes.
  static std::string classic(std::uint32_t link_type, int packets) {
    std::string text;
    const auto put = [&](std::uint32_t value, int size) {
      for (int i = 0; i < size; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
    };
    put(0xa1b2c3d4, 4);
    put(2, 2);
    put(4, 2);
    put(0, 4);
    put(0, 4);
    put(65'535, 4);
    put(link_type, 4);
    for (int i = 0; i < packets; ++i) {
      put(1'700'000'000, 4);
      put(static_cast<std::uint32_t>(i), 4);
      put(60, 4);
      put(60, 4);
      text.append(60, '\0');
    }
    return text;
  }

  std::filesystem::path directory_;
};

TEST_F(Capture, CountsItsPackets) { EXPECT_EQ(count_packets(write(classic(1, 3))), 3u); }

TEST_F(Capture, DamageIsToldAndEverythingBeforeItCounts) {
  auto text = classic(1, 3);
  text.resize(text.size() - 10);
  const auto file = write(text);
  testing::internal::CaptureStderr();
  EXPECT_EQ(count_packets(file), 2u);
  const auto line = testing::internal::GetCapturedStderr();
  EXPECT_THAT(line, AllOf(HasSubstr("damaged"), HasSubstr(file), HasSubstr("packets=2")));
}

TEST_F(Capture, AnotherLinkTypeIsRefusedWithTheRemedy) {
  const auto count = count_packets(write(classic(101, 1)));
  ASSERT_FALSE(count);
  EXPECT_THAT(count.error().message, HasSubstr("expected Ethernet"));
}

TEST_F(Capture, WhatIsNoCaptureIsNamed) {
  const auto file = write("hello, I am text and not a capture at all");
  const auto count = count_packets(file);
  ASSERT_FALSE(count);
  EXPECT_THAT(count.error().message, HasSubstr(file));
}

TEST_F(Capture, OnlyPortsThatReadFilesAreLookedAt) {
  config::Config config;
  config.ports = {{.name = "ring", .device = "net_ring0"},
                  {.name = "file", .device = "net_pcap0,rx_pcap=" + write(classic(1, 5)) + ",tx_pcap=/dev/null"}};
  const auto counts = inspect_captures(config);
  ASSERT_TRUE(counts) << counts.error().message;
  EXPECT_EQ(*counts, (std::map<std::string, std::vector<std::uint64_t>>{{"file", {5}}}));
}

}  // namespace
}  // namespace foreflow::port
