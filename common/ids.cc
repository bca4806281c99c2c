// SPDX-License-Identifier: Apache-2.0
#include "common/ids.h"

#include <charconv>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace foreflow {

std::optional<MacAddress> parse_mac(std::string_view text) {
  if (text.size() != 17) return std::nullopt;
  MacAddress mac;
  for (std::size_t i = 0; i < mac.octets.size(); ++i) {
    const char* first = text.data() + 3 * i;
    if (i != 0 && first[-1] != ':') return std::nullopt;
    const auto [last, error] = std::from_chars(first, first + 2, mac.octets[i], 16);
    if (error != std::errc{} || last != first + 2) return std::nullopt;
  }
  return mac;
}

std::string to_string(const MacAddress& mac) { return fmt::format("{:02x}", fmt::join(mac.octets, ":")); }

std::optional<Ipv4Address> parse_ipv4(std::string_view text) {
  Ipv4Address address;
  const char* at = text.data();
  const char* end = at + text.size();
  for (std::size_t i = 0; i < address.octets.size(); ++i) {
    if (i != 0 && (at == end || *at++ != '.')) return std::nullopt;
    const auto [last, error] = std::from_chars(at, end, address.octets[i]);
    if (error != std::errc{}) return std::nullopt;
    at = last;
  }
  return at == end ? std::optional(address) : std::nullopt;
}

std::string to_string(const Ipv4Address& address) { return fmt::format("{}", fmt::join(address.octets, ".")); }

}  // namespace foreflow
