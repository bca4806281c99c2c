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

}  // namespace foreflow
