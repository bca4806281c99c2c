// SPDX-License-Identifier: Apache-2.0
// Tunnels whose header says what is inside: VXLAN (RFC 7348), Geneve (RFC 8926), GTP (TS 29.281, 29.060, 29.274),
// CAPWAP (RFC 5415), LISP (RFC 9300, 9301), Teredo (RFC 4380), L2TP (RFC 2661, 3931).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

// An IP packet that fills what is left, or all but a few bytes of padding.
bool is_ip(Octets packet) noexcept {
  if ((packet.u8(0) >> 4) == 4)
    return is_within(packet.u8(0) & 15u, 5, 15) && packet.be16(2) >= 20 && packet.be16(2) <= packet.whole_size() &&
           packet.whole_size() <= packet.be16(2) + 64u;
  return (packet.u8(0) >> 4) == 6 && packet.be16(4) + 40u <= packet.whole_size() &&
         packet.whole_size() <= packet.be16(4) + 104u;
}

bool is_ethernet(Octets frame) noexcept {
  constexpr std::size_t kHeader = 14;
  const auto type = frame.be16(12);
  if (type == 0x0800 || type == 0x86dd) return (frame.u8(kHeader) >> 4) == (type == 0x0800 ? 4 : 6);
  if (type <= 1'500)
    return frame.u8(14) == 0x42 || frame.u8(14) == 0xaa || frame.u8(14) == 0xfe || frame.u8(14) == 0xe0;
  return type == 0x0806 || type == 0x8100 || type == 0x88a8 || type == 0x8847 || type == 0x88cc || type == 0x8035;
}

Finding vxlan(Octets payload) noexcept {
  constexpr std::size_t kHeader = 8;
  const auto flags = payload.u8(0);
  const bool has_policy = (flags & 0x80) != 0;    // group policy: an id in the second half
  const bool has_protocol = (flags & 0x04) != 0;  // generic protocol extension: the inner type behind
  if ((flags & 0x08) == 0 || (flags & 0x33) != 0 || payload.u8(7) != 0) return false;
  if (!has_policy && (payload.u8(1) != 0 || payload.u8(2) != 0)) return false;
  if (has_protocol && payload.u8(3) != 3) return is_within(payload.u8(3), 1, 2) && is_ip(payload.part(kHeader));
  return (has_policy || has_protocol || payload.u8(3) == 0) && is_ethernet(payload.part(kHeader));
}

Finding geneve(Octets payload) noexcept {
  const std::size_t options = 4u * (payload.u8(0) & 0x3fu);
  const auto inside = payload.part(8 + options);
  if ((payload.u8(0) >> 6) != 0 || (payload.u8(1) & 0x3f) != 0 || payload.u8(7) != 0) return false;
  switch (payload.be16(2)) {
    case 0x6558:
      return is_ethernet(inside);
    case 0x0800:
    case 0x86dd:
      return is_ip(inside);
    default:
      return false;
  }
}

bool is_gtp_user(std::uint8_t type) noexcept { return type == 26 || type == 31 || type == 254 || type == 255; }
// The optional four bytes, then extension headers, then the packet.
bool holds_ip(Octets payload) noexcept {
  constexpr std::size_t kHeader = 8;
  if ((payload.u8(0) & 7) == 0) return is_ip(payload.part(kHeader));
  auto next = (payload.u8(0) & 4) != 0 ? payload.u8(11) : std::uint8_t{0};
  std::size_t at = kHeader + 4;
  for (int i = 0; i < 4 && next != 0 && payload.u8(at) != 0; ++i) {
    const std::size_t size = 4u * payload.u8(at);
    next = payload.u8(at + size - 1);
    at += size;
  }
  return is_ip(payload.part(at));
}
Finding gtp_v1(Octets payload) noexcept {
  constexpr std::size_t kHeader = 8;
  const auto type = payload.u8(1);
  const bool has_optional = (payload.u8(0) & 7) != 0;
  if ((payload.u8(0) & 0xf8) != 0x30 || payload.be16(2) + kHeader > payload.whole_size()) return false;
  if (payload.whole_size() > payload.be16(2) + kHeader + 64 || (has_optional && payload.be16(2) < 4)) return false;
  if (type == 255) return holds_ip(payload);
  const bool is_control =
      is_within(type, 1, 7) || is_within(type, 16, 60) || is_within(type, 96, 105) || is_within(type, 112, 121);
  return (is_gtp_user(type) || is_control) && payload.be16(2) + kHeader == payload.whole_size();
}
Finding gtp_v2(Octets payload) noexcept {
  const auto type = payload.u8(1);
  const bool has_endpoint = (payload.u8(0) & 8) != 0;
  const std::size_t size = payload.be16(2) + 4u;
  const bool is_type = is_within(type, 1, 3) || is_within(type, 25, 234);
  if ((payload.u8(0) & 0xe3) != 0x40 || !is_type || size < (has_endpoint ? 12u : 8u)) return false;
  return (payload.u8(0) & 0x10) != 0 ? size < payload.whole_size() : size == payload.whole_size();  // piggybacked
}
Finding gtp_prime(Octets payload) noexcept {
  const auto version = payload.u8(0) >> 5;
  const auto type = payload.u8(1);
  const bool is_type = is_within(type, 1, 7) || type == 240 || type == 241;
  const std::size_t header = version == 0 && (payload.u8(0) & 1) == 0 ? 20 : 6;
  return version <= 2 && (payload.u8(0) & 0x1e) == 0x0e && is_type && payload.be16(2) + header == payload.whole_size();
}

bool is_dtls(Octets record) noexcept {
  return is_within(record.u8(0), 20, 25) && record.u8(1) == 0xfe && record.u8(2) >= 0xfc &&
         record.be16(11) + 13u <= record.whole_size();
}
Finding capwap(Octets payload) noexcept {
  if (payload.u8(0) == 1) return payload.be24(1) == 0 && is_dtls(payload.part(4));
  const std::size_t header = 4u * (payload.u8(1) >> 3);
  const bool keeps_alive = (payload.u8(3) & 0x08) != 0;
  if (payload.u8(0) != 0 || !is_within(header, 8, 32) || (payload.u8(3) & 0x07) != 0 || (payload.be16(6) & 7) != 0)
    return false;
  const auto message = payload.part(header);
  if (keeps_alive) return is_within(message.be16(0), 12, message.whole_size());
  const bool is_wireless_data = (payload.u8(2) & 0x3f) == 3 && payload.be16(4) == 0 && (message.u8(0) & 3) == 0;
  if (is_wireless_data) return message.whole_size() >= 24;
  const bool is_control = message.be24(0) == 0 && is_within(message.u8(3), 1, 26);
  return is_control && message.be16(5) + 5u <= message.whole_size() && message.be16(5) >= 3 && message.u8(7) == 0;
}

bool is_lisp_family(std::uint16_t family) noexcept { return family <= 2 || family == 16'387; }
Finding lisp_control(Octets payload) noexcept {
  const auto type = payload.u8(0) >> 4;
  const auto records = payload.u8(3);
  switch (type) {
    case 1:  // map request: nonce, the source's family
      return (payload.u8(1) & 0x3f) == 0 && (payload.u8(2) & 0xe0) == 0 && is_within(records, 1, 4) &&
             is_lisp_family(payload.be16(12)) && payload.whole_size() >= 24;
    case 2: {  // map reply: nonce, a record: time to live, locators, mask
      const auto mask = payload.u8(17);
      return payload.be16(1) == 0 && is_within(records, 1, 32) && mask <= 128 && payload.whole_size() >= 12 &&
             is_lisp_family(payload.be16(22));
    }
    case 3:  // map register and notify: key, authentication data
    case 4: {
      const auto size = payload.be16(14);
      return payload.u8(1) == 0 && is_within(records, 1, 64) && payload.be16(12) <= 5 &&
             (size == 0 || size == 20 || size == 32) && 16u + size + 16 <= payload.whole_size();
    }
    case 8:  // encapsulated: an IP packet behind
      return (payload.u8(0) & 3) == 0 && payload.be24(1) == 0 && is_ip(payload.part(4));
    default:
      return false;
  }
}
Finding lisp_data(Octets payload) noexcept {
  return (payload.u8(0) & 0x03) == 0 && (payload.u8(0) & 0xc0) != 0 && is_ip(payload.part(8)) &&
         (payload.u8(8) >> 4 == 4 ? payload.be16(10) + 8u : payload.be16(12) + 48u) == payload.whole_size();
}
Finding lisp_reliable(Octets payload) noexcept {  // RFC draft: type, size, id, ..., end marker
  constexpr std::uint32_t kEnd = 0x9facade9;
  const std::size_t size = payload.be16(2);
  return is_within(payload.be16(0), 16, 32) && size >= 12 && size <= payload.whole_size() &&
         (!payload.has(size - 4, 4) || payload.be32(size - 4) == kEnd);
}

Finding teredo(Octets payload) noexcept {
  if (payload.be16(0) == 1) payload = payload.part(13u + payload.u8(2) + payload.u8(3));  // authentication
  if (payload.be16(0) == 0) payload = payload.part(8);                                    // origin indication
  const auto next = payload.u8(6);
  const bool is_next = next == 6 || next == 17 || next == 58 || next == 59 || next == 0 || next == 44;
  const auto is_teredo = [&](std::size_t at) { return payload.be32(at) == 0x20010000 || payload.be16(at) == 0xfe80; };
  return (payload.u8(0) >> 4) == 6 && payload.be16(4) + 40u == payload.whole_size() && is_next &&
         (is_teredo(8) || is_teredo(24));
}

Finding l2tp(Octets payload) noexcept {
  const auto version = payload.u8(1) & 15u;
  if (payload.be16(0) == 0 && payload.be16(2) == 0) payload = payload.part(4);  // version 3 over UDP: session 0
  if ((payload.u8(0) & 0xc8) != 0xc8 || payload.be16(2) != payload.whole_size() ||
      !is_within(payload.u8(1) & 15u, 2, 3))
    return false;
  const auto attribute = payload.part(12);
  return version <= 3 && (attribute.whole_size() == 0 ||
                          ((attribute.be16(0) & 0x3ff) >= 6 && attribute.be16(2) == 0 && attribute.be16(4) == 0));
}

constexpr Named kTunnels[] = {
    {"capwap", capwap},
    {"geneve", geneve},
    {"gtp_prime", gtp_prime},
    {"gtp_v1", gtp_v1},
    {"gtp_v2", gtp_v2},
    {"l2tp", l2tp},
    {"lisp_control", lisp_control},
    {"lisp_data", lisp_data},
    {"lisp_reliable", lisp_reliable},
    {"teredo", teredo},
    {"vxlan", vxlan},
};

}  // namespace

Family tunnels() noexcept { return kTunnels; }

}  // namespace foreflow::classify::validate
