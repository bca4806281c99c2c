// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/forecast/history_file.h"

namespace foreflow::forecast {
namespace {

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  bool is_open() const { return fd_ >= 0; }
  int fd() const { return fd_; }

 private:
  int fd_;
};

tl::unexpected<Error> io_error(std::string_view what, const std::string& path) {
  const int error = errno;
  return fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
              fmt::format("cannot {} {}: {}", what, path, std::strerror(error)));
}

Status write_through(const std::string& path, std::string_view content) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (!file.is_open()) return io_error("create", path);
  while (!content.empty()) {
    const ssize_t written = ::write(file.fd(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_error("write", path);
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(file.fd()) != 0) return io_error("flush", path);
  return {};
}

}  // namespace

Status replace_file(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".new";
  if (Status written = write_through(temporary, content); !written) {
    ::unlink(temporary.c_str());
    return written;
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return io_error("replace", path);
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const File directory(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
  if (!directory.is_open() || ::fsync(directory.fd()) != 0) return io_error("flush the folder of", path);
  return {};
}

Result<std::string> read_file(const std::string& path) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 32;
  const File file(path, O_RDONLY);
  if (!file.is_open()) return io_error("open", path);
  struct stat status {};
  if (::fstat(file.fd(), &status) != 0) return io_error("inspect", path);
  if (!S_ISREG(status.st_mode) || status.st_size > kLargest)
    return fail(ErrorCode::kMalformed, fmt::format("{}: not a regular file of at most 4 GiB", path));
  std::string content(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t have = 0; have < content.size();) {
    const ssize_t got = ::read(file.fd(), content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_error("read", path);
    if (got == 0) content.resize(have);
    have += static_cast<std::size_t>(got);
  }
  return content;
}

}  // namespace foreflow::forecast
