// SPDX-License-Identifier: Apache-2.0
// Writes pcap files for tests.
#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "tests/contract/pipeline/frames.h"

namespace foreflow::pipeline {

class CaptureFile {
 public:
  explicit CaptureFile(const std::filesystem::path& path) : out_(path, std::ios::binary) {
    put32(0xa1b2c3d4);
    put32(4u << 16 | 2u);  // version 2.4
    put32(0);
    put32(0);
    put32(65'535);
    put32(1);  // Ethernet
  }
  void add(std::uint64_t time_us, const FrameBytes& frame) {
    put32(static_cast<std::uint32_t>(time_us / 1'000'000));
    put32(static_cast<std::uint32_t>(time_us % 1'000'000));
    put32(static_cast<std::uint32_t>(frame.size()));
    put32(static_cast<std::uint32_t>(frame.size()));
    out_.write(reinterpret_cast<const char*>(frame.data()), static_cast<std::streamsize>(frame.size()));
  }

 private:
  void put32(std::uint32_t value) { out_.write(reinterpret_cast<const char*>(&value), sizeof(value)); }

  std::ofstream out_;
};

}  // namespace foreflow::pipeline
