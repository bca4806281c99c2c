// SPDX-License-Identifier: Apache-2.0
// Flow keys as people read them. Place: dataplane/pipeline; reports only.
#pragma once
#include <cstdint>
#include <string>

#include "dataplane/net/parse.h"

namespace foreflow::pipeline {

// "10.0.0.1:443", "[2001:db8::1]:53"; without a port when it is 0.
std::string endpoint_text(const net::IpAddress& address, std::uint16_t port);
// "tcp", "udp", "icmp", "proto-47".
std::string transport_text(std::uint8_t protocol);

}  // namespace foreflow::pipeline
