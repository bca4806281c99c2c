// SPDX-License-Identifier: Apache-2.0
// Answers of DNS messages (RFC 1035, RFC 3596): which name stands for which address.
// Place: dataplane/classify.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/net/octets.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

struct DnsName {
  std::array<char, 256> text;
  std::size_t size = 0;
  std::string_view view() const noexcept { return {text.data(), size}; }
};

struct DnsAddresses {
  static constexpr std::size_t kMost = 16;
  DnsName question;  // the name that was asked for; aliases are left out
  std::array<net::IpAddress, kMost> addresses;
  std::size_t count = 0;
};

// `message`: of UDP, or of TCP without its length. False when it is no answer, or names no address.
bool read_dns_addresses(net::Octets message, DnsAddresses& out) noexcept;

}  // namespace foreflow::classify
