// SPDX-License-Identifier: Apache-2.0
// Routing and liveness: BGP (RFC 4271), BFD (RFC 5880), LDP (RFC 5036), HSRP (RFC 2281 and version 2), RIP (RFC 2453),
// RIPng (RFC 2080), DLEP (RFC 8175), OpenFlow.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

std::size_t bgp_message(Octets message) noexcept {
  constexpr std::size_t kHeader = 19;
  const std::size_t size = message.be16(16);
  const auto type = message.u8(18);
  if (!is_all(message.part(0, 16), 0xff) || size < kHeader || !is_within(type, 1, 5)) return 0;
  if (type == 4) return size == kHeader ? size : 0;                                // KEEPALIVE
  if (type == 1) return size >= 29 && is_within(message.u8(19), 3, 4) ? size : 0;  // OPEN
  return size;
}
Finding bgp(Octets payload) noexcept { return is_stream_of(payload, 19, bgp_message); }

Finding bfd(Octets payload) noexcept {
  constexpr std::size_t kPlain = 24;
  const auto size = payload.u8(3);
  const bool is_authenticated = (payload.u8(1) & 0x04) != 0;
  const auto state = payload.u8(1) >> 6;
  if ((payload.u8(0) >> 5) > 1 || (payload.u8(0) & 0x1f) > 9 || payload.u8(2) == 0 || payload.be32(4) == 0)
    return false;
  if (payload.whole_size() != size || (is_authenticated ? size < kPlain + 4 : size != kPlain)) return false;
  return (payload.be32(8) != 0 || state <= 1) && payload.be32(12) != 0 && (payload.u8(1) & 0x01) == 0;
}

bool is_ldp_type(std::uint16_t type) noexcept {
  switch (type & 0x7fff) {
    case 0x0001:  // notification
    case 0x0100:  // hello
    case 0x0200:  // initialization, keep alive
    case 0x0201:
    case 0x0202:  // capability
    case 0x0300:  // address, address withdraw
    case 0x0301:
    case 0x0400:  // label mapping, request, withdraw, release, abort
    case 0x0401:
    case 0x0402:
    case 0x0403:
    case 0x0404:
      return true;
    default:
      return false;
  }
}
std::size_t ldp_unit(Octets unit) noexcept {
  const std::size_t size = unit.be16(2);
  const bool holds_message = size >= 14 && unit.be16(12) + 10u <= size;
  return unit.be16(0) == 1 && holds_message && unit.be32(4) != 0 && is_ldp_type(unit.be16(10)) ? size + 4 : 0;
}
Finding ldp(Octets payload) noexcept { return is_stream_of(payload, 18, ldp_unit); }

Finding hsrp(Octets payload) noexcept {
  constexpr std::size_t kVersion1 = 20, kWithDigest = 50;
  const auto size = payload.whole_size();
  if (size != kVersion1 && size != kWithDigest) return false;
  const auto state = payload.u8(2);
  const bool is_state = state == 0 || (state <= 16 && (state & (state - 1)) == 0);
  if (payload.u8(1) == 3) return payload.u8(0) == 0 && payload.be16(2) == 1;  // advertise: interface state TLV
  return payload.u8(0) == 0 && payload.u8(1) <= 2 && is_state && payload.u8(3) != 0 && payload.u8(4) >= payload.u8(3) &&
         payload.u8(7) == 0 && is_printable(payload.part(8, 3));
}

Finding hsrp_v2(Octets payload) noexcept {
  // A group state TLV: type 1, 40 bytes, version 2, operation, state, IP version.
  return payload.be16(0) == 0x0128 && payload.u8(2) == 2 && payload.u8(3) <= 2 && is_within(payload.u8(4), 0, 6) &&
         (payload.u8(5) == 4 || payload.u8(5) == 6) && payload.whole_size() >= 42;
}

Finding rip(Octets payload) noexcept {
  constexpr std::size_t kHeader = 4, kEntry = 20, kMost = 504;
  if (payload.whole_size() < kHeader + kEntry || payload.whole_size() > kMost) return false;
  if ((payload.whole_size() - kHeader) % kEntry != 0 || !is_within(payload.u8(0), 1, 2)) return false;
  for (std::size_t at = kHeader; payload.has(at, kEntry); at += kEntry) {
    const auto family = payload.be16(at);
    if (family == 0xffff && at == kHeader) continue;  // authentication
    if ((family != 2 && family != 0) || !is_within(payload.be32(at + 16), 1, 16)) return false;
    if (payload.u8(1) == 1 && (payload.be16(at + 2) != 0 || payload.be64(at + 8) != 0)) return false;
  }
  return is_within(payload.u8(1), 1, 2) && payload.be16(2) == 0;
}

Finding ripng(Octets payload) noexcept {
  constexpr std::size_t kHeader = 4, kEntry = 20;
  if (payload.whole_size() < kHeader + kEntry || (payload.whole_size() - kHeader) % kEntry != 0) return false;
  for (std::size_t at = kHeader; payload.has(at, kEntry); at += kEntry) {
    const auto metric = payload.u8(at + 19);
    const bool is_next_hop = metric == 0xff;
    if (payload.u8(at + 18) > 128 || (!is_next_hop && !is_within(metric, 1, 16))) return false;
  }
  return is_within(payload.u8(0), 1, 2) && payload.u8(1) == 1 && payload.be16(2) == 0;
}

// A DLEP signal over UDP begins with "DLEP"; a message over TCP is its type, its size and data items.
Finding dlep(Octets payload) noexcept {
  return is_stream_of(payload, 4, [](Octets message) -> std::size_t {
    const std::size_t size = message.be16(2);
    if (!is_within(message.be16(0), 1, 16)) return 0;
    if (size == 0) return 4;
    // The first data item lies inside of the message.
    return message.has(4, 4) && is_within(message.be16(4), 1, 25) && message.be16(6) + 4u <= size ? size + 4 : 0;
  });
}

Finding openflow(Octets payload) noexcept {
  return is_stream_of(payload, 8, [](Octets message) -> std::size_t {
    const std::size_t size = message.be16(2);
    if (!is_within(message.u8(0), 1, 6) || message.u8(1) > 35 || size < 8) return 0;
    const bool is_hello = message.u8(1) == 0;
    return !is_hello || size == 8 || (message.be16(8) == 1 && message.be16(10) + 8u <= size) ? size : 0;
  });
}

constexpr Named kRouting[] = {
    {"bfd", bfd}, {"bgp", bgp},           {"dlep", dlep}, {"hsrp", hsrp},   {"hsrp_v2", hsrp_v2},
    {"ldp", ldp}, {"openflow", openflow}, {"rip", rip},   {"ripng", ripng},
};

}  // namespace

Family routing() noexcept { return kRouting; }

}  // namespace foreflow::classify::validate
