// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstring>
#include <limits>

#include "dataplane/net/octets.h"

namespace foreflow::net {
namespace {

constexpr std::uint16_t kIpv4 = 0x0800;
constexpr std::uint16_t kIpv6 = 0x86dd;
// Of network order, as a native load sees them.
constexpr std::uint16_t native(std::uint16_t big) noexcept {
  return std::endian::native == std::endian::little ? static_cast<std::uint16_t>(big << 8 | big >> 8) : big;
}
constexpr auto kNativeIpv4 = native(kIpv4), kNativeIpv6 = native(kIpv6), kNative8021q = native(0x8100),
               kNativeFragment = native(0x3fff);
constexpr std::size_t kMostVlanTags = 4;
constexpr std::size_t kMostExtensionHeaders = 8;
constexpr std::uint16_t kReservedVlan = 0xfff;  // IEEE 802.1Q table 9-2

constexpr std::uint8_t kHopByHop = 0, kIcmp = 1, kRouting = 43, kFragment = 44, kAuthentication = 51, kIcmp6 = 58,
                       kDestinationOptions = 60, kSctp = 132, kMobility = 135, kHip = 139, kShim6 = 140;

// What is known of the frame while its headers are walked: `at` moves forward only.
struct Walk {
  const std::uint8_t* bytes;
  std::size_t present;  // bytes that may be read
  std::size_t end;      // of what the innermost length field claims; starts as the frame's size
  std::size_t at = 0;

  // `count` more bytes of header are claimed and present.
  bool has(std::size_t count) const noexcept { return count <= present - at && count <= end - at; }
  const std::uint8_t* here() const noexcept { return bytes + at; }
};

bool is_vlan_tag(std::uint16_t ether_type) noexcept {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100;
}

bool parse_ethernet(Walk& walk, Parsed& out) noexcept {
  if (!walk.has(14)) return false;
  std::memcpy(out.destination.octets.data(), walk.here(), 6);
  std::memcpy(out.source.octets.data(), walk.here() + 6, 6);
  out.ether_type = load_be16(walk.here() + 12);
  walk.at = 14;
  for (std::size_t tags = 0; is_vlan_tag(out.ether_type); ++tags) {
    if (tags == kMostVlanTags || !walk.has(4)) return false;
    const std::uint16_t vlan = load_be16(walk.here()) & 0xfff;
    if (vlan == kReservedVlan) return false;
    if (tags == 0) out.segment.value = vlan;
    out.ether_type = load_be16(walk.here() + 2);
    walk.at += 4;
  }
  return true;
}

IpAddress mapped(const std::uint8_t* v4) noexcept {
  // ::ffff:0:0/96, the address in the last 4 octets. Written as two words, which is how they are read (make_key()): a
  // word that was written in parts has to wait for them.
  constexpr bool kLittle = std::endian::native == std::endian::little;
  const std::uint64_t address = load_native32(v4);
  const auto last = kLittle ? 0xffff0000u | address << 32 : 0x0000ffffull << 32 | address;
  IpAddress mapped;
  std::memset(mapped.bytes.data(), 0, 8);
  std::memcpy(mapped.bytes.data() + 8, &last, 8);
  return mapped;
}

bool parse_ipv4(Walk& walk, Parsed& out) noexcept {
  if (!walk.has(20)) return false;
  const auto* header = walk.here();
  const std::size_t header_size = (header[0] & 0xfu) * 4u;
  const std::size_t total = load_be16(header + 2);
  if (header[0] >> 4 != 4 || header_size < 20 || total < header_size || total > walk.end - walk.at) return false;
  if (!walk.has(header_size)) return false;
  out.ip_version = 4;
  out.ip_protocol = header[9];
  out.fragment = (load_be16(header + 6) & 0x3fff) != 0;  // more-fragments or an offset
  out.source_ip = mapped(header + 12);
  out.destination_ip = mapped(header + 16);
  walk.end = walk.at + total;
  walk.at += header_size;
  return true;
}

bool is_extension(std::uint8_t protocol) noexcept {
  return protocol == kHopByHop || protocol == kRouting || protocol == kFragment || protocol == kAuthentication ||
         protocol == kDestinationOptions || protocol == kMobility || protocol == kHip || protocol == kShim6;
}

bool parse_extensions(Walk& walk, Parsed& out) noexcept {
  for (std::size_t headers = 0; is_extension(out.ip_protocol); ++headers) {
    if (headers == kMostExtensionHeaders || !walk.has(8)) return false;
    const auto* header = walk.here();
    const auto kind = out.ip_protocol;
    const std::size_t size = kind == kFragment         ? 8u
                             : kind == kAuthentication ? (header[1] + 2u) * 4u
                                                       : (header[1] + 1u) * 8u;
    if (!walk.has(size)) return false;
    out.ip_protocol = header[0];
    walk.at += size;
    // An "atomic" fragment is a whole datagram (RFC 6946). In a real one the walk ends here for the first fragment as
    // for the others, so that all of them have one protocol.
    if (kind == kFragment && (load_be16(header + 2) & 0xfff9) != 0) {
      out.fragment = true;
      return true;
    }
  }
  return true;
}

bool parse_ipv6(Walk& walk, Parsed& out) noexcept {
  if (!walk.has(40)) return false;
  const auto* header = walk.here();
  const std::size_t size = load_be16(header + 4);
  if (header[0] >> 4 != 6 || size > walk.end - walk.at - 40) return false;
  out.ip_version = 6;
  out.ip_protocol = header[6];
  std::memcpy(out.source_ip.bytes.data(), header + 8, 16);
  std::memcpy(out.destination_ip.bytes.data(), header + 24, 16);
  walk.at += 40;
  walk.end = walk.at + size;
  return parse_extensions(walk, out);
}

void read_ports(const Walk& walk, Parsed& out) noexcept {
  out.source_port = load_be16(walk.here());
  out.destination_port = load_be16(walk.here() + 2);
}

bool parse_tcp(Walk& walk, Parsed& out) noexcept {
  if (!walk.has(20)) return false;
  const std::size_t header_size = (walk.here()[12] >> 4) * 4u;
  if (header_size < 20 || !walk.has(header_size)) return false;
  read_ports(walk, out);
  out.tcp_sequence = load_be32(walk.here() + 4);
  out.tcp_flags = walk.here()[13];
  walk.at += header_size;
  return true;
}

bool parse_udp(Walk& walk, Parsed& out) noexcept {
  if (!walk.has(8)) return false;
  const std::size_t size = load_be16(walk.here() + 4);
  if (size < 8 || size > walk.end - walk.at) return false;
  read_ports(walk, out);
  walk.end = walk.at + size;
  walk.at += 8;
  return true;
}

bool skip(Walk& walk, std::size_t header_size) noexcept {
  if (!walk.has(header_size)) return false;
  walk.at += header_size;
  return true;
}

bool parse_transport(Walk& walk, Parsed& out) noexcept {
  switch (out.ip_protocol) {
    case kTcp:
      return parse_tcp(walk, out);
    case kUdp:
      return parse_udp(walk, out);
    case kSctp:
      if (!walk.has(12)) return false;
      read_ports(walk, out);
      return skip(walk, 12);
    case kIcmp:
      return skip(walk, 8);
    case kIcmp6:
      return skip(walk, 4);
    default:
      return true;
  }
}

// The lower layers of most frames: at most one VLAN tag, then IPv4 without options or fragments, or IPv6 without
// extension headers. `end` as in Walk; false: something else, `out` is undefined.
struct Usual {
  const std::uint8_t* transport = nullptr;
  std::size_t at = 0;
  std::size_t end = 0;
  std::uint8_t protocol = 0;
};

// What of a frame its reader needs.
enum class Depth : std::uint8_t { kNone, kLink, kAll };

template <Depth kDepth>
bool usual_network(const std::uint8_t* bytes, std::size_t present, std::size_t frame_size, Parsed& out,
                   Usual& usual) noexcept {
  const auto* ether_type = bytes + 12;
  out.segment.value = 0;
  if (load_native16(ether_type) == kNative8021q) {
    out.segment.value = load_be16(bytes + 14) & 0xfffu;
    if (out.segment.value == kReservedVlan) return false;
    ether_type += 4;
  }
  const auto* ip = ether_type + 2;
  const auto at = static_cast<std::size_t>(ip - bytes);
  std::size_t size = 0;
  if (load_native16(ether_type) == kNativeIpv4) {
    size = load_be16(ip + 2);
    if (ip[0] != 0x45 || (load_native16(ip + 6) & kNativeFragment) != 0 || size < 20) return false;
    usual.protocol = ip[9];
    usual.at = at + 20;
    if constexpr (kDepth == Depth::kAll) {
      out.ether_type = kIpv4;
      out.ip_version = 4;
      out.source_ip = mapped(ip + 12);
      out.destination_ip = mapped(ip + 16);
    }
  } else if (load_native16(ether_type) == kNativeIpv6) {
    size = 40u + load_be16(ip + 4);
    if (at + 40 > present || ip[0] >> 4 != 6) return false;
    usual.protocol = ip[6];
    usual.at = at + 40;
    if constexpr (kDepth == Depth::kAll) {
      out.ether_type = kIpv6;
      out.ip_version = 6;
      std::memcpy(out.source_ip.bytes.data(), ip + 8, 16);
      std::memcpy(out.destination_ip.bytes.data(), ip + 24, 16);
    }
  } else {
    return false;
  }
  out.l3_offset = static_cast<std::uint16_t>(at);
  usual.end = at + size;
  usual.transport = bytes + usual.at;
  return usual.end <= frame_size;
}

// Most frames without a branch per header: false when this one is not of that kind, whatever it is.
template <Depth kDepth>
bool parse_usual(const std::uint8_t* bytes, std::size_t present, std::size_t frame_size, Parsed& out) noexcept {
  constexpr std::size_t kUnseen = 14 + 4 + 20;  // so far usual_network() reads without a look at lengths
  Usual usual;
  if (present < kUnseen || !usual_network<kDepth>(bytes, present, frame_size, out, usual)) return false;
  if (usual.at + 8 > present) return false;
  const auto* transport = usual.transport;
  std::size_t header = 8;
  if (usual.protocol == kTcp) {
    if (usual.at + 20 > present) return false;
    header = (transport[12] >> 4) * 4u;
    if (header < 20) return false;
  } else if (usual.protocol == kUdp) {
    const std::size_t size = load_be16(transport + 4);
    if (size < 8 || size > usual.end - usual.at) return false;
    usual.end = usual.at + size;
  } else {
    return false;
  }
  const auto payload = usual.at + header;
  if (payload > usual.end || payload > present) return false;
  if constexpr (kDepth == Depth::kNone) return true;
  std::memcpy(out.destination.octets.data(), bytes, 6);
  std::memcpy(out.source.octets.data(), bytes + 6, 6);
  if constexpr (kDepth == Depth::kLink) return true;
  const bool is_tcp = usual.protocol == kTcp;
  out.ip_protocol = usual.protocol;
  out.tcp_flags = is_tcp ? transport[13] : std::uint8_t{0};
  out.tcp_sequence = is_tcp ? load_be32(transport + 4) : 0;
  out.fragment = false;
  out.source_port = load_be16(transport);
  out.destination_port = load_be16(transport + 2);
  out.payload_offset = static_cast<std::uint16_t>(payload);
  out.payload_size = static_cast<std::uint16_t>(std::min(usual.end, present) - payload);
  return true;
}

}  // namespace

ParseStatus parse_by_steps(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept {
  out = Parsed{};
  Walk walk{bytes.data(), std::min<std::size_t>(bytes.size(), frame_size), frame_size};
  if (!parse_ethernet(walk, out)) return ParseStatus::kMalformed;
  out.l3_offset = static_cast<std::uint16_t>(walk.at);
  if (out.ether_type != kIpv4 && out.ether_type != kIpv6) return ParseStatus::kOk;
  if (!(out.ether_type == kIpv4 ? parse_ipv4(walk, out) : parse_ipv6(walk, out))) return ParseStatus::kMalformed;

  const bool has_payload = !out.fragment;
  if (has_payload && !parse_transport(walk, out)) return ParseStatus::kMalformed;
  if (walk.at > std::numeric_limits<std::uint16_t>::max()) return ParseStatus::kMalformed;
  out.payload_offset = static_cast<std::uint16_t>(walk.at);
  // A fragment is a piece of a payload that nobody may take for its start.
  if (has_payload) {
    const auto size = std::min(walk.end, walk.present) - walk.at;
    out.payload_size = static_cast<std::uint16_t>(std::min<std::size_t>(size, 0xffff));
  }
  return ParseStatus::kOk;
}

ParseStatus parse(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept {
  if (parse_usual<Depth::kAll>(bytes.data(), std::min<std::size_t>(bytes.size(), frame_size), frame_size, out))
    return ParseStatus::kOk;
  return parse_by_steps(bytes, frame_size, out);
}

bool is_usual_unicast(std::span<const std::uint8_t> bytes, std::uint32_t frame_size) noexcept {
  Parsed parsed;
  const auto present = std::min<std::size_t>(bytes.size(), frame_size);
  return parse_usual<Depth::kNone>(bytes.data(), present, frame_size, parsed) && parsed.segment.value == 0 &&
         (bytes[0] & 1) == 0;
}

ParseStatus parse_link(std::span<const std::uint8_t> bytes, std::uint32_t frame_size, Parsed& out) noexcept {
  if (parse_usual<Depth::kLink>(bytes.data(), std::min<std::size_t>(bytes.size(), frame_size), frame_size, out))
    return ParseStatus::kOk;
  return parse_by_steps(bytes, frame_size, out);
}

}  // namespace foreflow::net
