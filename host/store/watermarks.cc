// SPDX-License-Identifier: Apache-2.0
#include "host/store/watermarks.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "common/crc32.h"
#include "common/files.h"
#include "host/store/line_protocol.h"

namespace foreflow::store {
namespace {

constexpr std::string_view kHeader = "foreflow-watermarks 1 ";
constexpr std::size_t kLargest = 64u << 20;

std::string_view take_until(std::string_view& in, char separator) {
  const auto part = in.substr(0, in.find(separator));
  in.remove_prefix(std::min(in.size(), part.size() + 1));
  return part;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Watermark> parse(std::string_view line) {
  const auto boot = number(take_until(line, ' '));
  const auto sequence = number(take_until(line, ' '));
  if (!boot || !sequence) return std::nullopt;
  return Watermark{decode_name(line), *boot, *sequence};
}

}  // namespace

void Watermarks::raise(const Watermark& watermark) {
  const std::scoped_lock lock(mutex_);
  raise_locked(watermark);
}

void Watermarks::raise_locked(const Watermark& watermark) {
  auto& boots = boots_[watermark.dataplane];
  const auto known = std::find_if(boots.begin(), boots.end(), [&](const Boot& b) { return b.id == watermark.boot_id; });
  if (known == boots.end()) {
    boots.push_front({watermark.boot_id, watermark.sequence});
    if (boots.size() > kBootsKept) boots.pop_back();
    return;
  }
  known->sequence = std::max(known->sequence, watermark.sequence);
  boots.splice(boots.begin(), boots, known);
}

std::uint64_t Watermarks::get(const std::string& dataplane, std::uint64_t boot_id) const {
  const std::scoped_lock lock(mutex_);
  const auto boots = boots_.find(dataplane);
  if (boots == boots_.end()) return 0;
  for (const auto& boot : boots->second)
    if (boot.id == boot_id) return boot.sequence;
  return 0;
}

Status Watermarks::save(const std::filesystem::path& path) const {
  std::string body;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [dataplane, boots] : boots_)
      for (auto boot = boots.rbegin(); boot != boots.rend(); ++boot)  // loading raises in this order
        body += fmt::format("{} {} {}\n", boot->id, boot->sequence, encode_name(dataplane));
  }
  return replace_file(path, fmt::format("{}{}\n", kHeader, crc32(body)) + body);
}

Status Watermarks::load(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  const auto contents = read_file(path, kLargest);
  if (!contents) return tl::unexpected(contents.error());
  const auto damaged = [&] {
    return fail(ErrorCode::kMalformed,
                fmt::format("{}: damaged; without it reports that repeat are stored again, which "
                            "changes nothing: remove it to go on",
                            path.string()));
  };
  std::string_view rest(*contents);
  auto header = take_until(rest, '\n');
  if (!header.starts_with(kHeader)) return damaged();
  header.remove_prefix(kHeader.size());
  if (number(header) != crc32(rest)) return damaged();
  std::vector<Watermark> found;
  while (!rest.empty()) {
    auto watermark = parse(take_until(rest, '\n'));
    if (!watermark) return damaged();
    found.push_back(std::move(*watermark));
  }
  const std::scoped_lock lock(mutex_);
  for (const auto& watermark : found) raise_locked(watermark);
  return {};
}

}  // namespace foreflow::store
