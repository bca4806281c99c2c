// SPDX-License-Identifier: Apache-2.0
// IPv4 addresses as the numbers that the wire carries.
// Place: common/wire, inside the conversions.
#pragma once
#include <cstdint>

#include "common/ids.h"

namespace foreflow::wire {

inline std::uint32_t number_of(const Ipv4Address& address) {
  std::uint32_t number = 0;
  for (const auto octet : address.octets) number = number << 8 | octet;
  return number;
}

inline Ipv4Address ipv4_of(std::uint32_t number) {
  Ipv4Address address;
  for (auto octet = address.octets.rbegin(); octet != address.octets.rend(); ++octet, number >>= 8)
    *octet = static_cast<std::uint8_t>(number);
  return address;
}

}  // namespace foreflow::wire
