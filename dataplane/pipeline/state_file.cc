// SPDX-License-Identifier: Apache-2.0
// Form: "foreflow-desired 2 <CRC-32 of the rest, hex>\n", then the message.
#include "dataplane/pipeline/state_file.h"

#include <string_view>

#include <fmt/format.h>

#include "common/crc32.h"
#include "common/files.h"
#include "common/wire/desired_bytes.h"
#include "common/wire/limits.h"

namespace foreflow::pipeline {
namespace {

constexpr std::string_view kMagic = "foreflow-desired 2 ";
constexpr std::size_t kLargest = wire::kLargestMessage + 64;

std::string header_for(std::string_view body) { return fmt::format("{}{:08x}\n", kMagic, crc32(body)); }

}  // namespace

Status StateFile::save(const wire::DesiredState& desired) const {
  const auto body = wire::to_bytes(desired);
  return replace_file(path_, header_for(body) + body);
}

Result<std::optional<wire::DesiredState>> StateFile::load() const {
  const auto read = read_file(path_, kLargest);
  if (!read && read.error().code == ErrorCode::kNotFound) return std::nullopt;
  if (!read) return tl::unexpected(read.error());
  const std::string_view text = *read;
  const auto end = text.find('\n');
  const auto body = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (end == std::string_view::npos || text.substr(0, end + 1) != header_for(body))
    return fail(ErrorCode::kMalformed,
                fmt::format("{}: checksum does not match; the file is not used", path_.string()));
  auto desired = wire::desired_from_bytes(body);
  if (!desired) return fail(ErrorCode::kMalformed, fmt::format("{}: {}", path_.string(), desired.error().message));
  return std::optional(std::move(*desired));
}

}  // namespace foreflow::pipeline
