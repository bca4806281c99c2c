// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/flow_text.h"

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <fmt/format.h>

namespace foreflow::pipeline {
namespace {

bool is_mapped_v4(const net::IpAddress& address) {
  constexpr std::array<std::uint8_t, 12> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix.begin(), kPrefix.end(), address.bytes.begin());
}

}  // namespace

std::string endpoint_text(const net::IpAddress& address, std::uint16_t port) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (is_mapped_v4(address)) {
    inet_ntop(AF_INET, address.bytes.data() + 12, text.data(), text.size());
    return port == 0 ? std::string(text.data()) : fmt::format("{}:{}", text.data(), port);
  }
  inet_ntop(AF_INET6, address.bytes.data(), text.data(), text.size());
  return port == 0 ? std::string(text.data()) : fmt::format("[{}]:{}", text.data(), port);
}

std::string transport_text(std::uint8_t protocol) {
  switch (protocol) {
    case net::kTcp:
      return "tcp";
    case net::kUdp:
      return "udp";
    case 1:
    case 58:
      return "icmp";
    default:
      return fmt::format("proto-{}", protocol);
  }
}

}  // namespace foreflow::pipeline
