// SPDX-License-Identifier: Apache-2.0
// CRC-32 (ISO-HDLC, polynomial 0x04c11db7 reflected: that of Ethernet and zlib) for records on disk.
// Place: common; guards against torn and rotten bytes, not against attackers.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace foreflow {

namespace crc32_detail {
constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0xedb88320u : 0u);
    table[byte] = remainder;
  }
  return table;
}
inline constexpr auto kTable = make_table();
}  // namespace crc32_detail

// `previous` continues a checksum over several pieces.
constexpr std::uint32_t crc32(std::string_view bytes, std::uint32_t previous = 0) {
  std::uint32_t crc = ~previous;
  for (const char c : bytes) crc = crc32_detail::kTable[(crc ^ static_cast<unsigned char>(c)) & 0xff] ^ (crc >> 8);
  return ~crc;
}
static_assert(crc32("123456789") == 0xcbf43926);

}  // namespace foreflow
