// SPDX-License-Identifier: Apache-2.0
#include "host/store/field_codec.h"

#include <algorithm>
#include <bit>
#include <optional>

namespace foreflow::store {
namespace {

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

std::optional<std::uint64_t> take_varint(std::string_view& in) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

std::int64_t unzigzag(std::uint64_t value) { return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1)); }

void put_double(std::string& out, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(bits >> shift));
}

std::optional<double> take_double(std::string_view& in) {
  if (in.size() < 8) return std::nullopt;
  std::uint64_t bits = 0;
  for (unsigned i = 0; i < 8; ++i) bits |= std::uint64_t{static_cast<unsigned char>(in[i])} << (8 * i);
  in.remove_prefix(8);
  return std::bit_cast<double>(bits);
}

std::optional<Value> take_value(std::string_view& in, bool is_double) {
  if (is_double) return take_double(in);
  const auto integer = take_varint(in);
  if (!integer) return std::nullopt;
  return unzigzag(*integer);
}

}  // namespace

std::string encode_fields(const NumberedFields& fields) {
  std::string blob;
  blob.reserve(4 * fields.size());
  for (const auto& [id, value] : fields) {
    const auto* real = std::get_if<double>(&value);
    put_varint(blob, std::uint64_t{id} * 2 + (real != nullptr));
    if (real != nullptr)
      put_double(blob, *real);
    else
      put_varint(blob, zigzag(std::get<std::int64_t>(value)));
  }
  return blob;
}

Result<NumberedFields> decode_fields(std::string_view blob) {
  NumberedFields fields;
  while (!blob.empty()) {
    const auto key = take_varint(blob);
    if (!key || *key / 2 > UINT32_MAX) return fail(ErrorCode::kMalformed, "a stored point has a cut field number");
    const auto id = static_cast<std::uint32_t>(*key / 2);
    if (!fields.empty() && id <= fields.back().first)
      return fail(ErrorCode::kMalformed, "the fields of a stored point are out of order");
    const auto value = take_value(blob, (*key & 1) != 0);
    if (!value) return fail(ErrorCode::kMalformed, "a stored point has a cut field value");
    fields.emplace_back(id, *value);
  }
  return fields;
}

NumberedFields merge_fields(const NumberedFields& older, const NumberedFields& newer) {
  NumberedFields merged;
  merged.reserve(older.size() + newer.size());
  // set_union takes what both have from the first range.
  std::set_union(newer.begin(), newer.end(), older.begin(), older.end(), std::back_inserter(merged),
                 [](const auto& a, const auto& b) { return a.first < b.first; });
  return merged;
}

}  // namespace foreflow::store
