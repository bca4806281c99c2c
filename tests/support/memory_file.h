// SPDX-License-Identifier: Apache-2.0
// A file that lies in memory alone, for what reads files by their path.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

namespace foreflow::test {

class MemoryFile {
 public:
  explicit MemoryFile(std::span<const std::uint8_t> bytes) : file_(memfd_create("foreflow-test", MFD_CLOEXEC)) {
    if (file_ < 0) std::abort();
    for (std::size_t at = 0; at < bytes.size();) {
      const auto written = write(file_, bytes.data() + at, bytes.size() - at);
      if (written <= 0) std::abort();
      at += static_cast<std::size_t>(written);
    }
  }
  ~MemoryFile() { close(file_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace foreflow::test
