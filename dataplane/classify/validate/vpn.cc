// SPDX-License-Identifier: Apache-2.0
// Private networks and proxies: OpenVPN, WireGuard, IKE (RFC 2408, 7296), SOCKS (RFC 1928),
// SoftEther, DTLS records (RFC 6347, 9147).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

bool is_tls_record(Octets record) noexcept {
  return is_within(record.u8(0), 20, 23) && record.u8(1) == 3 && record.u8(2) <= 4;
}

// What stands behind opcode and session id when `digest` bytes of HMAC, a packet id and a time come first:
// acknowledgements, a packet id unless it is only an acknowledgement, TLS in control packets.
bool is_openvpn_control(Octets packet, std::size_t digest) noexcept {
  const auto opcode = packet.u8(0) >> 3;
  std::size_t at = 9 + (digest == 0 ? 0 : digest + 8);
  if (digest != 0 && (packet.be32(at - 8) == 0 || packet.be32(at - 8) > 0xffff || packet.be32(at - 4) < 946'684'800))
    return false;
  const std::size_t acknowledged = packet.u8(at);
  if (!packet.has(at, 1) || acknowledged > 8) return false;
  at += 1 + 4 * acknowledged + (acknowledged > 0 ? 8 : 0);
  if (opcode == 5) return acknowledged > 0 && at == packet.whole_size();
  if (packet.be32(at) > 0xffff) return false;
  at += 4;
  if (opcode == 4) return packet.be32(at - 4) > 0 && (is_tls_record(packet.part(at)) || packet.whole_size() > at + 100);
  return packet.be32(at - 4) == 0 && at == packet.whole_size();  // a reset, the first of its side
}
// tls-crypt: packet id and time in clear, then a digest of 32 bytes and what is encrypted.
bool is_openvpn_crypt(Octets packet) noexcept {
  const auto size = packet.whole_size();
  const auto opcode = packet.u8(0) >> 3;
  const auto id = packet.be32(9);
  if (!is_within(id, 1, 0xffff) || packet.be32(13) < 1'262'304'000 || packet.be32(13) > 2'524'608'000) return false;
  if (opcode == 5) return is_within(size, 58, 100);
  if (opcode == 4) return size > 58;
  return id == 1 && (opcode == 10 ? is_within(size, 300, 1'200) : size == 54);
}
bool is_openvpn_packet(Octets packet) noexcept {
  const auto opcode = packet.u8(0) >> 3;
  if (!is_within(opcode, 1, 10) || opcode == 3 || opcode == 6 || opcode == 9 || packet.be64(1) == 0) return false;
  for (const std::size_t digest : {0, 16, 20, 28, 32, 48, 64})
    if (is_openvpn_control(packet, digest)) return true;
  return is_openvpn_crypt(packet);
}
Finding openvpn(Octets payload) noexcept { return is_openvpn_packet(payload); }
Finding openvpn_tcp(Octets payload) noexcept {
  const std::size_t size = payload.be16(0);
  return size >= 14 && size + 2 <= payload.whole_size() && is_openvpn_packet(payload.part(2, size));
}

Finding wireguard(Octets payload) noexcept {
  const auto size = payload.whole_size();
  if (payload.be24(1) != 0 || payload.le32(4) == 0) return false;
  switch (payload.u8(0)) {
    case 1:  // initiation and response; some services let bytes follow
      return is_within(size, 148, 256);
    case 2:
      return payload.le32(8) != 0 && is_within(size, 92, 160);
    case 3:
      return size == 64;
    case 4:  // receiver, counter, whole blocks and a tag
      return size >= 32 && size % 16 == 0 && payload.le32(12) == 0;
    default:
      return false;
  }
}

bool is_ike(Octets message) noexcept {
  const auto version = message.u8(17);
  const auto exchange = message.u8(18);
  const bool is_exchange = version == 0x10 ? is_within(exchange, 1, 6) || is_within(exchange, 32, 34)
                                           : version == 0x20 && is_within(exchange, 34, 44);
  const bool is_first = exchange == 34 || exchange == 2 || exchange == 4;
  return message.be64(0) != 0 && is_exchange && (is_first || message.be64(8) != 0) &&
         (message.u8(19) & (version == 0x10 ? 0xf8 : 0xc7)) == 0 && message.be32(24) == message.whole_size() &&
         message.whole_size() > 28;
}
Finding ike(Octets payload) noexcept { return is_ike(payload.be32(0) == 0 ? payload.part(4) : payload); }

Finding socks4(Octets payload) noexcept {
  const auto size = payload.whole_size();
  if (payload.u8(0) == 0) return size == 8 && is_within(payload.u8(1), 0x5a, 0x5d);
  return size >= 9 && size <= 512 && payload.be16(2) != 0 && (!payload.is_whole() || payload.u8(size - 1) == 0) &&
         c_string_size(payload.part(8), 255) > 0;
}
Finding socks5_greeting(Octets payload) noexcept {
  const std::size_t count = payload.u8(1);
  if (payload.whole_size() != 2 + count || !is_within(count, 1, 16)) return false;
  for (std::size_t i = 0; i < count; ++i)
    if (payload.u8(2 + i) > 9 && payload.u8(2 + i) < 0x80) return false;
  return true;
}
Finding socks5_request(Octets payload) noexcept {  // also a reply: command or status, 0, address, port
  const auto size = payload.whole_size();
  if (payload.u8(1) > 8 || payload.u8(2) != 0) return false;
  switch (payload.u8(3)) {
    case 1:
      return size == 10;
    case 3:
      return payload.u8(4) > 0 && size == 7u + payload.u8(4) && is_printable(payload.part(5, payload.u8(4)));
    case 4:
      return size == 22;
    default:
      return false;
  }
}

// SoftEther's pack: a count of values, each of them a name with its size, a type and a count.
Finding softether(Octets payload) noexcept {
  const std::size_t name = payload.be32(4);
  return is_within(payload.be32(0), 1, 64) && is_within(name, 2, 64) && payload.whole_size() > 16 + name &&
         is_printable(payload.part(8, name - 1)) && payload.be32(7 + name) <= 4 &&
         is_within(payload.be32(11 + name), 1, 64);
}

std::size_t dtls_record(Octets record) noexcept {
  const auto type = record.u8(0);
  const std::size_t size = record.be16(11);
  const bool is_version =
      record.be16(1) == 0xfeff || record.be16(1) == 0xfefd || record.be16(1) == 0xfefc || record.be16(1) == 0x0100;
  if (!is_within(type, 20, 26) || !is_version || !is_within(size, 1, (1u << 14) + 2'048)) return 0;
  return size + 13;
}
Finding dtls(Octets payload) noexcept { return is_datagram_of(payload, 13, dtls_record); }

Finding dtls13(Octets payload) noexcept {
  constexpr std::size_t kHeader = 5, kLeast = 16;
  return is_datagram_of(payload, kHeader, [](Octets record) -> std::size_t {
    const std::size_t size = record.be16(3);
    return (record.u8(0) & 0xfc) == 0x2c && is_within(size, kLeast, (1u << 14) + 256) ? size + kHeader : 0;
  });
}

constexpr Named kVpn[] = {
    {"dtls", dtls},
    {"dtls13", dtls13},
    {"ike", ike},
    {"openvpn", openvpn},
    {"openvpn_tcp", openvpn_tcp},
    {"socks4", socks4},
    {"socks5_greeting", socks5_greeting},
    {"socks5_request", socks5_request},
    {"softether", softether},
    {"wireguard", wireguard},
};

}  // namespace

Family vpn() noexcept { return kVpn; }

}  // namespace foreflow::classify::validate
