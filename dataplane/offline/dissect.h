// SPDX-License-Identifier: Apache-2.0
// The outermost IP header of a captured frame of any link type, and what it carries.
// Place: dataplane/offline, for captures. Where net::parse refuses a frame whose lengths contradict each other, because
// it decides about forwarding, this reader names what can be named: captures are cut by a snap length, hosts record
// large sends with a length of zero, and fuzzed files lie.
#pragma once
#include <cstdint>
#include <span>

#include "dataplane/net/octets.h"
#include "dataplane/net/parse.h"

namespace foreflow::offline {

struct Dissected {
  // Addresses, protocol, ports and TCP fields. `fragment` and the offsets are not used. A first fragment has its ports.
  net::Parsed headers;
  // Of TCP and UDP: behind their headers; of others: behind the IP headers. Of a first fragment as large as its
  // datagram.
  net::Octets payload;
};

// `link_type`: a DLT_ value of libpcap. `wire_size`: of the frame before it was cut.
// False when there is no IP header or when this is a later fragment (it has no ports to tell its flow by).
bool dissect(int link_type, std::span<const std::uint8_t> frame, std::size_t wire_size, Dissected& out) noexcept;

// False when dissect() knows no frame of this link type.
bool is_known_link_type(int link_type) noexcept;

}  // namespace foreflow::offline
