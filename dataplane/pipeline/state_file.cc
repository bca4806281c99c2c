// SPDX-License-Identifier: Apache-2.0
// Form: "foreflow-desired 1 <FNV-1a 64 of the rest, hex>\n", then the message.
#include "dataplane/pipeline/state_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "common/wire/desired_bytes.h"

namespace foreflow::pipeline {
namespace {

constexpr std::string_view kMagic = "foreflow-desired 1 ";

std::string header_for(std::string_view body) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const unsigned char byte : body) hash = (hash ^ byte) * 0x100000001b3;
  return fmt::format("{}{:016x}\n", kMagic, hash);
}

Status write_and_sync(const std::filesystem::path& path, std::string_view text) {
  const auto failed = [&](const char* what) {
    return fail(ErrorCode::kIo, fmt::format("{}: {}: {}", path.string(), what, std::strerror(errno)));
  };
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("open");
  Status status;
  while (status && !text.empty()) {
    const auto written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      status = failed("write");
    else
      text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (status && ::fsync(file) != 0) status = failed("fsync");
  ::close(file);
  return status;
}

void sync_directory(const std::filesystem::path& directory) {
  const int handle = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  ::fsync(handle);
  ::close(handle);
}

}  // namespace

Status StateFile::save(const wire::DesiredState& desired) const {
  const auto body = wire::to_bytes(desired);
  auto aside = path_;
  aside += ".new";
  if (auto written = write_and_sync(aside, header_for(body) + body); !written) return written;
  std::error_code error;
  std::filesystem::rename(aside, path_, error);
  if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", path_.string(), error.message()));
  sync_directory(path_.parent_path());
  return {};
}

Result<std::optional<wire::DesiredState>> StateFile::load() const {
  std::ifstream file(path_, std::ios::binary);
  if (!file) {
    if (!std::filesystem::exists(path_)) return std::nullopt;
    return fail(ErrorCode::kIo, fmt::format("{}: cannot be read: {}", path_.string(), std::strerror(errno)));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto end = text.find('\n');
  const auto body = end == std::string::npos ? std::string_view() : std::string_view(text).substr(end + 1);
  if (end == std::string::npos || text.substr(0, end + 1) != header_for(body))
    return fail(ErrorCode::kMalformed,
                fmt::format("{}: checksum does not match; the file is not used", path_.string()));
  auto desired = wire::desired_from_bytes(body);
  if (!desired) return fail(ErrorCode::kMalformed, fmt::format("{}: {}", path_.string(), desired.error().message));
  return std::optional(std::move(*desired));
}

}  // namespace foreflow::pipeline
