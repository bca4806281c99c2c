// SPDX-License-Identifier: Apache-2.0
// The few file operations that durable formats need, with errors that name the path.
// Place: common; whatever Foreflow keeps on disk is written and read with it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "common/result.h"

namespace foreflow {

// Owns a file descriptor. Thread safety: as the system calls.
class File {
 public:
  File() = default;
  // kNotFound, kExhausted (disk or quota full), kIo; so the members.
  static Result<File> open(const std::filesystem::path& path, int flags);
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(path_, other.path_);
    return *this;
  }
  ~File();

  Status write_all(std::string_view data);
  // Fewer bytes only at the end of the file.
  Result<std::string> read_at(std::uint64_t offset, std::size_t size) const;
  Status sync_data() const;
  Status truncate(std::uint64_t size) const;
  Result<std::uint64_t> size() const;
  // kUnavailable when another process holds it; released when the file closes.
  Status lock() const;

  bool is_open() const { return descriptor_ >= 0; }
  const std::filesystem::path& path() const { return path_; }

 private:
  File(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  tl::unexpected<Error> failure(std::string_view doing) const;
  int descriptor_ = -1;
  std::filesystem::path path_;
};

// Makes created, renamed and removed names durable.
Status sync_folder(const std::filesystem::path& folder);

// The file has either its old contents or these, whole, and keeps them through a crash. Readable by the owner alone.
Status replace_file(const std::filesystem::path& path, std::string_view contents);

// All of it. kNotFound, kIo; kExhausted beyond `most` bytes.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t most);

// The first line of a file that only its owner can read. kInvalidConfig says what to change.
Result<std::string> read_secret(const std::filesystem::path& path);

}  // namespace foreflow
