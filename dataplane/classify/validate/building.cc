// SPDX-License-Identifier: Apache-2.0
// Buildings, vehicles and things: BACnet/IP (ASHRAE 135, annex J), KNXnet/IP (ISO 22510), CN/IP (EN 14908-4),
// Ether-S-Bus, TRDP (IEC 61375-2-3), SOME/IP, CoAP (RFC 7252), TP-Link's obfuscated JSON, EGD, HiSLIP, CAN over UDP.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

Finding bacnet(Octets payload) noexcept {
  const auto function = payload.u8(1);
  if (payload.be16(2) != payload.whole_size() || function > 0x0c) return false;
  constexpr std::size_t kForwarded = 4;
  if (function != 4 && function != 9 && function != 10 && function != 11) return payload.whole_size() <= 1'500;
  return payload.u8(function == kForwarded ? 10 : 4) == 1;  // the network layer's version
}

std::size_t knx_frame(Octets frame) noexcept {
  const auto service = frame.be16(2);
  const std::size_t size = frame.be16(4);
  const auto family = service >> 8;
  return frame.be16(0) == 0x0610 && (is_within(family, 2, 6) || family == 9) && is_within(size, 6, 1'500) ? size : 0;
}
Finding knx(Octets payload) noexcept { return is_stream_of(payload, 6, knx_frame); }

Finding cnp(Octets payload) noexcept {  // size, version, type, extended header size, vendor, session
  constexpr std::size_t kHeader = 20;
  const auto type = payload.u8(3);
  const bool is_type = type == 1 || is_within(type, 0x02, 0x08) || is_within(type, 0x60, 0x71) || type == 0x7f;
  return payload.be16(0) == payload.whole_size() && payload.whole_size() >= kHeader && is_within(payload.u8(2), 1, 2) &&
         is_type && payload.u8(4) <= 16 && payload.be16(6) == 0;
}

std::uint16_t crc_ccitt(Octets bytes) noexcept {  // polynomial 0x1021, from zero
  std::uint16_t crc = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc = static_cast<std::uint16_t>(crc ^ bytes.u8(i) << 8);
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? crc << 1 ^ 0x1021 : crc << 1);
  }
  return crc;
}
Finding ether_s_bus(Octets payload) noexcept {  // size, version, type, sequence, attribute, ..., CRC
  const auto size = payload.whole_size();
  if (payload.be32(0) != size || !is_within(size, 11, 1'024) || payload.u8(4) > 1 || payload.u8(5) != 0 ||
      payload.u8(8) > 2)
    return false;
  return !payload.is_whole() || crc_ccitt(payload.part(0, size - 2)) == payload.be16(size - 2);
}

Finding trdp(Octets payload) noexcept {  // sequence, version 1.x, type, id, topology counters, size
  constexpr std::size_t kProcess = 40, kMessage = 116;
  const auto type = payload.be16(6);
  const bool is_process =
      type == 0x5064 || type == 0x5070 || type == 0x5072 || type == 0x5065;  // "Pd", "Pp", "Pr", "Pe"
  const bool is_message = payload.u8(6) == 'M' &&
                          std::string_view("nrpqce").find(static_cast<char>(payload.u8(7))) != std::string_view::npos;
  const std::size_t header = is_process ? kProcess : kMessage;
  return payload.u8(4) == 1 && (is_process || is_message) && payload.be32(20) <= 65'388 &&
         header + (payload.be32(20) + 3) / 4 * 4 == payload.whole_size();
}

bool is_someip_type(std::uint8_t type) noexcept {
  const auto plain = type & ~0x20u;  // 0x20 marks a segment
  return plain <= 2 || is_within(plain, 0x40, 0x42) || is_within(plain, 0x80, 0x81) || is_within(plain, 0xc0, 0xc1);
}
std::size_t someip_message(Octets message) noexcept {
  const std::size_t size = message.be32(4);
  if (size < 8 || size > (1u << 24) || message.u8(12) != 1 || !is_someip_type(message.u8(14)) || message.u8(15) > 0x5e)
    return 0;
  return message.be32(0) == 0xffff8100 || message.u8(13) != 0 || message.be32(0) != 0 ? size + 8 : 0;
}
Finding someip(Octets payload) noexcept { return is_datagram_of(payload, 16, someip_message); }
Finding someip_tcp(Octets payload) noexcept { return is_stream_of(payload, 16, someip_message); }

// One option of a CoAP message: how far it goes; 0 = it is none.
std::size_t coap_option(Octets rest) noexcept {
  const auto delta = rest.u8(0) >> 4;
  const std::size_t size = rest.u8(0) & 15u;
  if (delta == 15 || size == 15) return 0;
  std::size_t at = 1u + (delta == 13 ? 1u : delta == 14 ? 2u : 0u);
  if (size == 13) return at + 1 + 13 + rest.u8(at);
  if (size == 14) return at + 2 + 269 + rest.be16(at);
  return at + size;
}
bool is_coap_option(unsigned number) noexcept {  // IANA's registry
  constexpr std::uint16_t kOptions[] = {1,  3,  4,  5,  6,  7,  8,  9,  11,  12,  14,  15,  16,    17,   19,
                                        20, 23, 27, 28, 31, 35, 39, 60, 252, 258, 292, 548, 2'049, 2'053};
  return std::find(std::begin(kOptions), std::end(kOptions), number) != std::end(kOptions);
}
Finding coap(Octets payload) noexcept {
  const std::size_t token = payload.u8(0) & 15u;
  const auto code = payload.u8(1);
  const auto group = code >> 5;
  if ((payload.u8(0) >> 6) != 1 || token > 8 || payload.whole_size() < 4 + token) return false;
  if (code == 0) return payload.whole_size() == 4 && token == 0;
  if (!(group == 0 && code <= 7) && !(group == 2 && (code & 31) <= 5) && !(is_within(group, 4, 5) && (code & 31) <= 15))
    return false;
  unsigned number = 0;
  for (auto rest = payload.part(4 + token); rest.size() > 0 && rest.u8(0) != 0xff;) {
    const auto size = coap_option(rest);
    const unsigned delta = rest.u8(0) >> 4;
    number += delta < 13 ? delta : delta == 13 ? 13u + rest.u8(1) : 269u + rest.be16(1);
    if (size == 0 || size > rest.whole_size() || !is_coap_option(number)) return false;
    rest = rest.part(size);
  }
  return number > 0 || payload.u8(4 + token) == 0xff;
}

// JSON whose bytes are each combined with the one before, from 171.
Finding tplink(Octets payload) noexcept {
  const bool has_size = payload.be16(0) == 0 && payload.be32(0) + 4u == payload.whole_size();
  const auto body = payload.part(has_size ? 4 : 0);
  return body.size() >= 8 && (body.u8(0) ^ 171u) == '{' && (body.u8(1) ^ body.u8(0)) == '"' &&
         ((body.u8(2) ^ body.u8(1)) & 0x80) == 0 && is_within(body.u8(2) ^ body.u8(1), 'a', 'z');
}

Finding egd(Octets payload) noexcept {  // Ethernet Global Data: type, version, request, producer, exchange
  return payload.be16(0) == 0x0d01 && payload.whole_size() >= 32 && payload.le32(8) != 0 && payload.le32(24) == 0;
}

Finding hislip(Octets payload) noexcept {  // "HS", type, control, parameter, size
  const std::size_t size = payload.be32(12);
  return payload.be32(8) == 0 && payload.u8(2) <= 38 && size + 16 >= payload.whole_size() && size < (1u << 20);
}

Finding can_over_udp(Octets payload) noexcept {  // "ISO11898", version, count, ...
  return is_within(payload.u8(8), 1, 3) && payload.whole_size() >= 12;
}

constexpr Named kBuilding[] = {
    {"bacnet", bacnet}, {"can_over_udp", can_over_udp}, {"cnp", cnp},       {"coap", coap},
    {"egd", egd},       {"ether_s_bus", ether_s_bus},   {"hislip", hislip}, {"knx", knx},
    {"someip", someip}, {"someip_tcp", someip_tcp},     {"tplink", tplink}, {"trdp", trdp},
};

}  // namespace

Family building() noexcept { return kBuilding; }

}  // namespace foreflow::classify::validate
