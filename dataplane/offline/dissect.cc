// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/dissect.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include <pcap/dlt.h>

namespace foreflow::offline {
namespace {

using net::Octets;

constexpr std::uint16_t kIpv4 = 0x0800, kIpv6 = 0x86dd;
constexpr int kMostTags = 12;
constexpr int kMostExtensions = 10;

struct Layer {
  std::uint16_t ether_type = 0;
  Octets rest;
};

std::uint16_t by_version(Octets packet) noexcept {
  switch (packet.u8(0) >> 4) {
    case 4:
      return kIpv4;
    case 6:
      return kIpv6;
    default:
      return 0;
  }
}

Layer raw(Octets packet) noexcept { return {by_version(packet), packet}; }

std::uint16_t of_ppp(std::uint16_t protocol) noexcept {
  return protocol == 0x21 ? kIpv4 : protocol == 0x57 ? kIpv6 : std::uint16_t{0};
}

// RFC 1661, RFC 1662: address and control may be left out, and so may the protocol's first byte.
Layer ppp(Octets frame) noexcept {
  if (frame.u8(0) == 0xff && frame.u8(1) == 0x03) frame = frame.part(2);
  if ((frame.u8(0) & 1) != 0) return {of_ppp(frame.u8(0)), frame.part(1)};
  return {of_ppp(frame.be16(0)), frame.part(2)};
}

// The family is in the recording host's byte order, and 24, 28 and 30 are all IPv6 somewhere.
Layer loopback(Octets frame) noexcept { return raw(frame.part(4)); }

std::optional<Layer> link_layer(int link_type, Octets frame) noexcept {
  switch (link_type) {
    case DLT_EN10MB:
      return Layer{frame.be16(12), frame.part(14)};
    case DLT_NULL:
    case DLT_LOOP:
      return loopback(frame);
    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
      return raw(frame);
    case DLT_PPP:
    case DLT_PPP_SERIAL:
      return ppp(frame);
    case DLT_C_HDLC:
      return Layer{frame.be16(2), frame.part(4)};
    case DLT_PPP_ETHER:
      return Layer{0x8864, frame};
    case DLT_LINUX_SLL:
      return Layer{frame.be16(14), frame.part(16)};
    case DLT_LINUX_SLL2:
      return Layer{frame.be16(0), frame.part(20)};
    default:
      return std::nullopt;
  }
}

// Takes off VLAN tags, MPLS labels and PPPoE.
Layer network_layer(Layer layer) noexcept {
  for (int i = 0; i < kMostTags; ++i) {
    const auto rest = layer.rest;
    switch (layer.ether_type) {
      case 0x8100:
      case 0x88a8:
      case 0x9100:
        layer = {rest.be16(2), rest.part(4)};
        break;
      case 0x8847:
      case 0x8848:
        layer = {(rest.u8(2) & 1) != 0 ? by_version(rest.part(4)) : layer.ether_type, rest.part(4)};
        break;
      case 0x8864:
        layer = {of_ppp(rest.be16(6)), rest.part(8)};
        break;
      default:
        return layer;
    }
  }
  return {};
}

// What an IP header carries.
struct Datagram {
  std::uint8_t protocol = 0;
  Octets rest;
  bool is_first_fragment = false;
};

// The stated length ends the packet, unless it is zero (segmentation offload) or more than there was.
Octets ended_at(Octets packet, std::size_t stated) noexcept { return stated == 0 ? packet : packet.part(0, stated); }

std::optional<Datagram> ipv4(Octets packet, net::Parsed& out) noexcept {
  const std::size_t header_size = (packet.u8(0) & 15u) * 4u;
  if (packet.u8(0) >> 4 != 4 || header_size < 20 || !packet.has(0, header_size)) return std::nullopt;
  if ((packet.be16(6) & 0x1fff) != 0) return std::nullopt;  // a later fragment
  out.ip_version = 4;
  for (auto* address : {&out.source_ip, &out.destination_ip}) address->bytes[10] = address->bytes[11] = 0xff;
  std::memcpy(out.source_ip.bytes.data() + 12, packet.data() + 12, 4);
  std::memcpy(out.destination_ip.bytes.data() + 12, packet.data() + 16, 4);
  const std::size_t stated = packet.be16(2);
  return Datagram{packet.u8(9), ended_at(packet, stated < header_size ? 0 : stated).part(header_size),
                  (packet.be16(6) & 0x2000) != 0};
}

std::optional<Datagram> ipv6(Octets packet, net::Parsed& out) noexcept {
  constexpr std::size_t kHeader = 40;
  constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kDestination = 60, kMobility = 135;
  if (packet.u8(0) >> 4 != 6 || !packet.has(0, kHeader)) return std::nullopt;
  out.ip_version = 6;
  std::memcpy(out.source_ip.bytes.data(), packet.data() + 8, 16);
  std::memcpy(out.destination_ip.bytes.data(), packet.data() + 24, 16);
  Datagram datagram{packet.u8(6), ended_at(packet.part(kHeader), packet.be16(4))};
  for (int i = 0; i < kMostExtensions; ++i) {
    const auto rest = datagram.rest;
    if (datagram.protocol == kFragment && rest.has(0, 8)) {
      if (rest.be16(2) >> 3 != 0) return std::nullopt;
      datagram = {rest.u8(0), rest.part(8), (rest.be16(2) & 1) != 0};
    } else if ((datagram.protocol == kHopByHop || datagram.protocol == kRouting || datagram.protocol == kDestination ||
                datagram.protocol == kMobility) &&
               rest.has(0, 2)) {
      datagram = {rest.u8(0), rest.part(8u + 8u * rest.u8(1)), datagram.is_first_fragment};
    } else {
      break;
    }
  }
  return datagram;
}

void transport(const Datagram& datagram, Dissected& out) noexcept {
  const auto rest = datagram.rest;
  auto& headers = out.headers;
  headers.ip_protocol = datagram.protocol;
  out.payload = rest;
  if (datagram.protocol == net::kTcp && rest.has(0, 16)) {
    headers.source_port = rest.be16(0);
    headers.destination_port = rest.be16(2);
    headers.tcp_sequence = rest.be32(4);
    headers.tcp_flags = rest.u8(13);
    out.payload = rest.part(std::max<std::size_t>(20, (rest.u8(12) >> 4) * 4u));
  } else if (datagram.protocol == net::kUdp && rest.has(0, 8)) {
    headers.source_port = rest.be16(0);
    headers.destination_port = rest.be16(2);
    const std::size_t stated = rest.be16(4);
    out.payload = ended_at(rest, stated < 8 ? 0 : stated).part(8);
    // The rest of the datagram is in other packets, as if a snap length had cut it.
    if (datagram.is_first_fragment && stated > rest.whole_size())
      out.payload = Octets({out.payload.data(), out.payload.size()}, stated - 8);
  }
}

}  // namespace

bool dissect(int link_type, std::span<const std::uint8_t> frame, std::size_t wire_size, Dissected& out) noexcept {
  out = {};
  const auto link = link_layer(link_type, Octets(frame, wire_size));
  if (!link) return false;
  const auto layer = network_layer(*link);
  std::optional<Datagram> datagram;
  if (layer.ether_type == kIpv4) datagram = ipv4(layer.rest, out.headers);
  if (layer.ether_type == kIpv6) datagram = ipv6(layer.rest, out.headers);
  if (!datagram) return false;
  transport(*datagram, out);
  return true;
}

bool is_known_link_type(int link_type) noexcept { return link_layer(link_type, {}).has_value(); }

}  // namespace foreflow::offline
