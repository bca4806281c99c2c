// SPDX-License-Identifier: Apache-2.0
#include "host/store/buffer_frame.h"

#include <algorithm>

#include "common/crc32.h"

namespace foreflow::store {
namespace {

constexpr std::string_view kMark = "FFb2";  // where to look for the next record after a rotten one

void put_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
}

std::uint32_t take_u32(std::string_view in) {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < 4; ++i) value |= std::uint32_t{static_cast<unsigned char>(in[i])} << (8 * i);
  return value;
}

}  // namespace

std::string framed(std::string_view record) {
  std::string out;
  out.reserve(kFrame + record.size());
  out += kMark;
  put_u32(out, static_cast<std::uint32_t>(record.size()));
  put_u32(out, crc32(record, crc32(out)));
  out += record;
  return out;
}

std::optional<std::string_view> first_record(std::string_view in) {
  if (in.size() < kFrame || !in.starts_with(kMark)) return std::nullopt;
  const std::size_t size = take_u32(in.substr(4));
  if (size > in.size() - kFrame) return std::nullopt;
  const auto payload = in.substr(kFrame, size);
  if (crc32(payload, crc32(in.substr(0, 8))) != take_u32(in.substr(8))) return std::nullopt;
  return payload;
}

std::size_t gap_before_record(std::string_view in) {
  auto at = in.find(kMark, 1);
  while (at != in.npos && !first_record(in.substr(at))) at = in.find(kMark, at + 1);
  return std::min(at, in.size());
}

std::uint64_t framed_size(std::string_view frame) { return take_u32(frame.substr(4)); }

}  // namespace foreflow::store
