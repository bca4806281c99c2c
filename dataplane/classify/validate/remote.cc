// SPDX-License-Identifier: Apache-2.0
// Remote hands: Telnet (RFC 854), RFB's messages (RFC 6143), RDP's T.125 units, IPMI and ASF over RMCP, XDMCP,
// TeamViewer, the X Window System, SSH before encryption (RFC 4253, RFC 4419).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

Finding telnet(Octets payload) noexcept {  // commands at the start; each option stands alone
  std::size_t at = 0;
  int commands = 0;
  for (; commands < 32 && payload.u8(at) == 0xff; ++commands) {
    const auto command = payload.u8(at + 1);
    const auto option = payload.u8(at + 2);
    if (command == 0xfa) return commands > 0 || (option <= 50 && payload.has(at, 4));  // sub-negotiation
    if (!is_within(command, 0xfb, 0xfe) || (option > 50 && option != 0xff && !is_within(option, 138, 140)))
      return false;
    if (!payload.has(at, 3)) return commands > 0;
    at += 3;
  }
  return commands > 0;
}

// Client messages whose sizes are fixed: pixel format, encodings, update request, key, pointer.
std::size_t rfb_message(Octets message) noexcept {
  switch (message.u8(0)) {
    case 0:
      return message.be24(1) == 0 && is_within(message.u8(4), 8, 32) && message.u8(4) % 8 == 0 ? 20 : 0;
    case 2:
      return message.u8(1) == 0 && is_within(message.be16(2), 1, 64) ? 4u + 4u * message.be16(2) : 0;
    case 3:
      return message.u8(1) <= 1 && message.be16(6) > 0 && message.be16(8) > 0 ? 10 : 0;
    default:
      return 0;
  }
}
Finding rfb_client(Octets payload) noexcept { return is_datagram_of(payload, 4, rfb_message); }

// Send data and the units that join channels, over TPKT and a COTP data unit.
std::size_t t125_unit(Octets unit) noexcept {
  const std::size_t size = unit.be16(2);
  const auto kind = unit.u8(7);
  const bool is_kind = (kind == 0x64 || kind == 0x68) ? size >= 14
                       : kind == 0x04                 ? size == 12
                       : kind == 0x28                 ? size == 8
                       : kind == 0x2e                 ? size == 11
                       : kind == 0x38                 ? size == 12
                       : kind == 0x3e                 ? is_within(size, 13, 15)
                                                      : kind == 0x7f && is_within(unit.u8(8), 0x65, 0x66);
  return unit.be16(0) == 0x0300 && unit.be24(4) == 0x02f080 && is_kind ? size : 0;
}
Finding t125(Octets payload) noexcept { return is_stream_of(payload, 8, t125_unit); }

Finding rmcp(Octets payload) noexcept {  // version 6, 0, sequence, class
  const auto size = payload.whole_size();
  if (payload.u8(3) == 6 || payload.u8(3) == 0x86)  // ASF: enterprise 4542
    return (payload.u8(3) == 0x86 && size == 4) || (payload.be32(4) == 4'542 && payload.u8(11) + 12u == size);
  const auto authentication = payload.u8(4);
  if (authentication == 6) return payload.le16(14) + 16u <= size;  // RMCP+: payload type, session, sequence, size
  const std::size_t at = authentication == 0 ? 13 : 29;
  return authentication <= 5 && payload.u8(at) >= 7 && payload.u8(at) + at + 1 <= size &&
         size <= payload.u8(at) + at + 2;
}

Finding xdmcp(Octets payload) noexcept {
  return is_within(payload.be16(2), 1, 13) && payload.be16(4) + 6u == payload.whole_size();
}

Finding teamviewer(Octets payload) noexcept {  // magic, command, size
  return is_within(payload.u8(2), 1, 0x80) && payload.le16(3) < 0x8001 && payload.whole_size() >= 5;
}

Finding x11(Octets payload) noexcept {  // byte order, version 11.0, sizes of an authorisation's name and data
  const bool is_little = payload.u8(0) == 'l';
  const std::size_t name = is_little ? payload.le16(6) : payload.be16(6);
  const std::size_t data = is_little ? payload.le16(8) : payload.be16(8);
  return name <= 64 && data <= 256 && 12 + (name + 3) / 4 * 4 + (data + 3) / 4 * 4 == payload.whole_size();
}

// Size, padding, message; the whole is a multiple of eight. What follows a change of keys is encrypted.
Finding ssh_packet(Octets payload) noexcept {
  constexpr std::uint8_t kAlgorithms = 20, kNewKeys = 21, kGroupRequest = 34;
  const std::size_t size = payload.be32(0), padding = payload.u8(4);
  const auto message = payload.u8(5);
  if (size % 8 != 4 || padding < 4 || padding + 2 > size || size > 35'000) return false;
  const std::size_t body = size - padding - 2;
  if (message == kNewKeys) return body == 0 && size + 4 <= payload.whole_size();
  if (message == kAlgorithms) return body >= 16 + 10 * 4 && is_within(payload.be32(22), 4, body - 16);
  if (size + 4 > payload.whole_size()) return false;
  if (message == kGroupRequest) return body == 12 && payload.be32(6) <= payload.be32(10);
  return body == 4 || (is_within(payload.be32(6), 16, body - 4) && payload.has(6, 4));
}

constexpr Named kRemote[] = {
    {"rfb_client", rfb_client}, {"rmcp", rmcp}, {"ssh_packet", ssh_packet}, {"t125", t125}, {"teamviewer", teamviewer},
    {"telnet", telnet},         {"x11", x11},   {"xdmcp", xdmcp},
};

}  // namespace

Family remote() noexcept { return kRemote; }

}  // namespace foreflow::classify::validate
