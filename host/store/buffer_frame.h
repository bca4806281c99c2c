// SPDX-License-Identifier: Apache-2.0
// A record in a file of the disk buffer: `u32 mark, u32 size, u32 crc32(mark, size, payload), payload`, little endian.
// Place: host/store. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace foreflow::store {

inline constexpr std::size_t kFrame = 12;

std::string framed(std::string_view record);

// Of the payload, as the kFrame bytes before it have it.
std::uint64_t framed_size(std::string_view frame);

// The record at the start of `in`; no value when it is cut or damaged.
std::optional<std::string_view> first_record(std::string_view in);

// How much of `in`, which begins with no record, lies before the next whole one.
std::size_t gap_before_record(std::string_view in);

}  // namespace foreflow::store
