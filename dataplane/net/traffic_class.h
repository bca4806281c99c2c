// SPDX-License-Identifier: Apache-2.0
// Writing the traffic class of IP headers (DSCP and ECN), with IPv4's checksum.
// Place: dataplane/net. Pure functions on the bytes of a header that parsed.
#pragma once
#include <cstdint>

#include "dataplane/net/octets.h"

namespace foreflow::net {

// One word of what the checksum at `at` covers has changed: HC' = ~(~HC + ~m + m'), RFC 1624, equation 3.
inline void update_checksum(std::uint8_t* at, std::uint16_t before, std::uint16_t after) noexcept {
  std::uint32_t sum = static_cast<std::uint16_t>(~load_be16(at)) + static_cast<std::uint16_t>(~before) + after;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  const auto folded = static_cast<std::uint16_t>(~sum);
  at[0] = static_cast<std::uint8_t>(folded >> 8);
  at[1] = static_cast<std::uint8_t>(folded);
}

// `ip`: the header's first byte; `version`: 4 or 6; `dscp`: 0 to 63. ECN stays as it is.
inline void write_dscp(std::uint8_t* ip, std::uint8_t version, std::uint8_t dscp) noexcept {
  const auto before = load_be16(ip);
  if (version == 4) {
    ip[1] = static_cast<std::uint8_t>(dscp << 2 | (ip[1] & 0x03));
    update_checksum(ip + 10, before, load_be16(ip));
    return;
  }
  // The class lies across two bytes: its upper half in the first, its lower half in the second.
  ip[0] = static_cast<std::uint8_t>((ip[0] & 0xf0) | dscp >> 2);
  ip[1] = static_cast<std::uint8_t>((ip[1] & 0x3f) | (dscp & 0x03) << 6);
}

}  // namespace foreflow::net
