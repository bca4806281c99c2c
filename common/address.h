// SPDX-License-Identifier: Apache-2.0
// Where a program listens or connects, as operators write it.
// Place: common; configurations and command lines check with it what gRPC would only refuse at run time.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace foreflow {

struct Address {
  std::string host;        // a name or an IP address, IPv6 without its brackets; empty for a unix socket
  std::uint16_t port = 0;  // 0: any free one, for who listens
  std::string path;        // of the unix socket; otherwise empty
  bool operator==(const Address&) const = default;
};

// `host:port`, `192.0.2.1:7443`, `[2001:db8::1]:7443` or `unix:/path`. kInvalidArgument quotes the text and says what
// would be right.
Result<Address> parse_address(std::string_view text);

// The same for who connects: there has to be a port.
Result<Address> parse_peer_address(std::string_view text);

}  // namespace foreflow
