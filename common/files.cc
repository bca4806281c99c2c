// SPDX-License-Identifier: Apache-2.0
#include "common/files.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace foreflow {
namespace {

tl::unexpected<Error> system_failure(const std::filesystem::path& path, std::string_view doing, int error) {
  const auto code = error == ENOENT                                        ? ErrorCode::kNotFound
                    : error == ENOSPC || error == EDQUOT || error == EFBIG ? ErrorCode::kExhausted
                                                                           : ErrorCode::kIo;
  return fail(code, fmt::format("{}: {}{}", path.string(), doing, std::strerror(error)));
}

}  // namespace

Result<File> File::open(const std::filesystem::path& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  if (descriptor < 0) return system_failure(path, "", errno);
  return File(descriptor, path);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

tl::unexpected<Error> File::failure(std::string_view doing) const { return system_failure(path_, doing, errno); }

Status File::write_all(std::string_view data) {
  while (!data.empty()) {
    const auto written = ::write(descriptor_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failure("writing: ");
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<std::string> File::read_at(std::uint64_t offset, std::size_t size) const {
  std::string data(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const auto got = ::pread(descriptor_, data.data() + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure("reading: ");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  data.resize(have);
  return data;
}

Status File::sync_data() const {
  if (::fdatasync(descriptor_) != 0) return failure("making it durable: ");
  return {};
}

Status File::truncate(std::uint64_t size) const {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return failure("cutting it: ");
  return {};
}

Result<std::uint64_t> File::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return failure("asking its size: ");
  return static_cast<std::uint64_t>(info.st_size);
}

Status File::lock() const {
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return failure("locking: ");
  return fail(ErrorCode::kUnavailable, fmt::format("{}: another process uses this folder", path_.string()));
}

Status sync_folder(const std::filesystem::path& folder) {
  const auto opened = File::open(folder, O_RDONLY | O_DIRECTORY);
  if (!opened) return tl::unexpected(opened.error());
  return opened->sync_data();
}

Status replace_file(const std::filesystem::path& path, std::string_view contents) {
  auto temporary = path;
  temporary += ".new";
  {
    auto file = File::open(temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file) return tl::unexpected(file.error());
    auto written = file->write_all(contents);
    if (written) written = file->sync_data();
    if (!written) {
      ::unlink(temporary.c_str());
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_failure(path, "replacing it: ", errno);
  const auto folder = path.parent_path();
  return sync_folder(folder.empty() ? "." : folder);
}

Result<std::string> read_file(const std::filesystem::path& path, std::size_t most) {
  const auto file = File::open(path, O_RDONLY);
  if (!file) return tl::unexpected(file.error());
  const auto size = file->size();
  if (!size) return tl::unexpected(size.error());
  if (*size > most)
    return fail(ErrorCode::kExhausted, fmt::format("{}: {} bytes, expected at most {}", path.string(), *size, most));
  return file->read_at(0, *size);
}

Result<std::string> read_secret(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: no such secret: {}", path.string(), std::strerror(errno)));
  if (!S_ISREG(info.st_mode) || (info.st_mode & 077) != 0)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: others may read this secret (mode {:04o}); it has to be a file of mode 0600",
                            path.string(), info.st_mode & 07777));
  auto secret = read_file(path, 4'096);
  if (!secret) return tl::unexpected(Error{ErrorCode::kInvalidConfig, secret.error().message});
  secret->resize(std::min(secret->size(), secret->find_first_of("\r\n")));
  if (secret->empty()) return fail(ErrorCode::kInvalidConfig, fmt::format("{}: the secret is empty", path.string()));
  return secret;
}

}  // namespace foreflow
