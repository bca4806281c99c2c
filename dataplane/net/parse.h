// SPDX-License-Identifier: Apache-2.0
// Headers of one Ethernet frame: where things are and who talks to whom. Bounded; reads nothing past the given bytes.
// Place: dataplane/net; first stage of the pipeline and of foreflow-classify.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "common/ids.h"

namespace foreflow::net {

inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;

// IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const IpAddress&) const = default;
};

struct Parsed {
  MacAddress destination;
  MacAddress source;
  Segment segment;               // outer VLAN id, 0 when untagged or priority-tagged
  std::uint16_t ether_type = 0;  // after VLAN tags
  std::uint16_t l3_offset = 0;
  std::uint8_t ip_version = 0;   // 4, 6, or 0 when not IP
  std::uint8_t ip_protocol = 0;  // after IPv6 extension headers
  std::uint8_t tcp_flags = 0;
  bool fragment = false;  // any fragment; ports are 0 in all of them, so that one datagram stays one flow
  IpAddress source_ip;
  IpAddress destination_ip;
  std::uint16_t source_port = 0;  // host order; 0 when the protocol has none
  std::uint16_t destination_port = 0;
  std::uint32_t tcp_sequence = 0;
  std::uint16_t payload_offset = 0;
  std::uint16_t payload_size = 0;  // by the IP and UDP lengths, clipped to the bytes present; 0 in fragments
  bool operator==(const Parsed&) const = default;
};

enum class ParseStatus : std::uint8_t { kOk, kMalformed };

// `bytes`: the contiguous start of the frame (at least the first 256 bytes of it when it is that long);
// `frame_size`: its whole size. A frame that is not IP is kOk with ip_version 0; malformed = a header that is cut off
// or contradicts itself: an IP or UDP length beyond what encloses it, VLAN id 4095, more than 4 VLAN tags or 8 IPv6
// extension headers. `out` is always overwritten; when malformed it holds what was read before the fault.
ParseStatus parse(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept;
// The same answer for who switches the frame and no more: of `out` only destination, source and segment are said.
ParseStatus parse_link(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept;
// True: a whole unicast frame of segment 0 that carries TCP or UDP over IP, and nothing unusual in its headers. False:
// parse() has to say what it is.
bool is_usual_unicast(std::span<const std::uint8_t> bytes, std::uint32_t frame_size) noexcept;
// parse(), header by header: what it does with the frames that its short way does not know, and the reference
// that the short way is tested against.
ParseStatus parse_by_steps(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept;

}  // namespace foreflow::net
