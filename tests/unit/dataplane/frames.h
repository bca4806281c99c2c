// SPDX-License-Identifier: Apache-2.0
// Frames for tests, written field by field. Lengths are right unless a test breaks them.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace foreflow::testing {

using Frame = std::vector<std::uint8_t>;

inline Frame& operator+=(Frame& frame, const Frame& more) {
  frame.insert(frame.end(), more.begin(), more.end());
  return frame;
}
inline Frame operator+(Frame left, const Frame& right) { return left += right; }

inline Frame be16(std::size_t value) {
  return {static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}
inline Frame be32(std::size_t value) { return be16(value >> 16) + be16(value & 0xffff); }
inline Frame le32(std::uint32_t value) {
  return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8),
          static_cast<std::uint8_t>(value >> 16), static_cast<std::uint8_t>(value >> 24)};
}
inline Frame zeros(std::size_t count) { return Frame(count, 0); }
inline Frame text(std::string_view characters) { return Frame(characters.begin(), characters.end()); }

inline Frame ethernet(std::uint16_t ether_type, const Frame& payload) {
  return Frame{0x52, 0x54, 0, 0, 0, 2, 0x52, 0x54, 0, 0, 0, 1} + be16(ether_type) + payload;
}
inline Frame vlan(std::uint16_t id, std::uint16_t ether_type, const Frame& payload) {
  return be16(id) + be16(ether_type) + payload;
}

struct Ipv4 {
  std::uint8_t protocol = 17;
  Frame options;
  std::uint16_t flags_and_offset = 0;
};
// 10.0.0.1 -> 10.0.0.2
inline Frame ipv4(const Ipv4& header, const Frame& payload) {
  const auto words = static_cast<std::uint8_t>(5 + header.options.size() / 4);
  return Frame{static_cast<std::uint8_t>(0x40 | words), 0} + be16(words * 4u + payload.size()) + be16(1) +
         be16(header.flags_and_offset) + Frame{64, header.protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2} + header.options +
         payload;
}
// fd00::1 -> fd00::2
inline Frame ipv6(std::uint8_t next_header, const Frame& payload) {
  return Frame{0x60, 0, 0, 0} + be16(payload.size()) + Frame{next_header, 64, 0xfd} + zeros(14) + Frame{1, 0xfd} +
         zeros(14) + Frame{2} + payload;
}

inline Frame udp(std::uint16_t source, std::uint16_t destination, const Frame& payload) {
  return be16(source) + be16(destination) + be16(8 + payload.size()) + be16(0) + payload;
}
inline Frame tcp(std::uint16_t source, std::uint16_t destination, std::uint8_t flags, const Frame& payload,
                 const Frame& options = {}) {
  return be16(source) + be16(destination) + be32(1) + be32(2) +
         Frame{static_cast<std::uint8_t>((5 + options.size() / 4) << 4), flags} + be16(1024) + be32(0) + options +
         payload;
}

}  // namespace foreflow::testing
