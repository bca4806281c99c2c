// SPDX-License-Identifier: Apache-2.0
// Shapes that many protocols share: messages one after the other, text, BER elements.
// Place: dataplane/classify/validate. All of it is bounded by the payload's size.
#pragma once
#include <algorithm>
#include <cstddef>
#include <string_view>

#include "dataplane/net/octets.h"

namespace foreflow::classify::validate {

using net::Octets;

// Messages in a byte stream. `size_of(rest)` = the whole size of the message that `rest` begins with, 0 = it is none.
// The last message may go on in the next segment; what a capture cut off is trusted.
template <typename SizeOf>
bool is_stream_of(Octets payload, std::size_t header, SizeOf&& size_of) noexcept {
  constexpr int kMostMessages = 16;
  for (int i = 0; i < kMostMessages; ++i) {
    if (payload.size() < header) return i > 0;
    const std::size_t size = size_of(payload);
    if (size < header) return false;
    if (size >= payload.whole_size()) return true;
    payload = payload.part(size);
  }
  return true;
}

// Messages that fill a datagram to its end.
template <typename SizeOf>
bool is_datagram_of(Octets payload, std::size_t header, SizeOf&& size_of) noexcept {
  constexpr int kMostMessages = 64;
  for (int i = 0; i < kMostMessages; ++i) {
    if (payload.size() < header) return i > 0 && (payload.whole_size() == 0 || !payload.is_whole());
    const std::size_t size = size_of(payload);
    if (size < header || size > payload.whole_size()) return false;
    if (size == payload.whole_size()) return true;
    payload = payload.part(size);
  }
  return true;
}

inline bool is_within(std::size_t value, std::size_t least, std::size_t most) noexcept {
  return value >= least && value <= most;
}

inline bool is_printable(Octets bytes) noexcept {
  const auto text = bytes.text();
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Printable up to a zero that is among the first `most` bytes: the size with the zero; 0 = it is none.
inline std::size_t c_string_size(Octets bytes, std::size_t most) noexcept {
  const auto text = bytes.part(0, most).text();
  const auto end = text.find('\0');
  return end != std::string_view::npos && is_printable(bytes.part(0, end)) ? end + 1 : 0;
}

inline bool is_all(Octets bytes, std::uint8_t value) noexcept {
  const auto text = bytes.text();
  return std::all_of(text.begin(), text.end(), [value](char c) { return static_cast<std::uint8_t>(c) == value; });
}

// A BER or DER element (X.690): its tag, where its content begins and how long that is.
struct Ber {
  std::uint8_t tag = 0;
  std::size_t header = 0;  // 0: it is no definite length of at most four bytes
  std::size_t size = 0;
  std::size_t whole() const noexcept { return header + size; }
};
inline Ber read_ber(Octets bytes) noexcept {
  const auto first = bytes.u8(1);
  if (!bytes.has(0, 2)) return {};
  if (first < 0x80) return {bytes.u8(0), 2, first};
  const std::size_t count = first & 0x7fu;
  if (count == 0 || count > 4 || !bytes.has(2, count)) return {};
  std::size_t size = 0;
  for (std::size_t i = 0; i < count; ++i) size = size << 8 | bytes.u8(2 + i);
  return {bytes.u8(0), 2 + count, size};
}
// What lies inside of the element, and what follows it.
inline Octets content_of(Octets bytes, const Ber& element) noexcept { return bytes.part(element.header, element.size); }
inline Octets after(Octets bytes, const Ber& element) noexcept { return bytes.part(element.whole()); }

}  // namespace foreflow::classify::validate
