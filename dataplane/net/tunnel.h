// SPDX-License-Identifier: Apache-2.0
// Ethernet inside UDP: VXLAN (RFC 7348) and Geneve (RFC 8926). Reads and writes headers; knows no port and no packet
// buffer. Place: dataplane/net; the pipeline uses it at the uplink.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/ids.h"
#include "common/wire/messages.h"
#include "dataplane/net/parse.h"

namespace foreflow::net {

// One end of a tunnel, as an uplink has it.
struct TunnelEnd {
  wire::TunnelKind kind = wire::TunnelKind::kVxlan;
  Ipv4Address local;
  MacAddress source;    // the uplink's own
  MacAddress next_hop;  // of the underlay
  std::uint16_t udp_port = 0;
};

// A frame of a virtual network as it was found inside another one.
struct Inner {
  std::uint32_t vni = 0;
  Ipv4Address from;        // the other end
  std::size_t offset = 0;  // of its Ethernet header
  std::size_t size = 0;    // by the UDP length
};

enum class TunnelStatus : std::uint8_t { kNone, kInner, kMalformed };

// Whether a parsed frame (its contiguous start in `bytes`) is for this end; one with a VLAN tag is not. Malformed: it
// is, but its tunnel header is cut off, of an unknown version, or has options that must be understood (RFC 8926, 3.4).
TunnelStatus find_inner(const TunnelEnd& end, const Parsed& outer, std::span<const std::uint8_t> bytes,
                        Inner& inner) noexcept;

// Ethernet, IPv4, UDP and VXLAN or Geneve without options: both have the same size.
inline constexpr std::size_t kOuterSize = 14 + 20 + 8 + 8;

// Fills the header that goes before an inner frame of `inner_size` bytes. `entropy` spreads flows over the paths of the
// underlay (RFC 7348, 5: the UDP source port). No UDP checksum, as both RFCs allow over IPv4; not to be fragmented.
void write_outer(std::span<std::uint8_t, kOuterSize> to, const TunnelEnd& end, Ipv4Address remote, std::uint32_t vni,
                 std::size_t inner_size, std::uint32_t entropy) noexcept;

// Turns an ARP request for `local` into its answer in place (RFC 826); false when it is none.
bool answer_arp(std::span<std::uint8_t> frame, const TunnelEnd& end) noexcept;

}  // namespace foreflow::net
