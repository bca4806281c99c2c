// SPDX-License-Identifier: Apache-2.0
// Plants and power: Modbus/TCP, DNP3 (IEEE 1815), IEC 60870-5-104, IEEE C37.118, S7 and MMS over COTP (RFC 1006),
// EtherNet/IP and CIP, OPC UA, HART-IP, OMRON FINS, Beckhoff ADS, PROFINET's siblings elsewhere (DCE/RPC).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

bool is_modbus_function(std::uint8_t function) noexcept {
  const auto code = function & 0x7fu;  // the top bit marks an exception
  return is_within(code, 1, 8) || is_within(code, 11, 12) || is_within(code, 15, 17) || is_within(code, 20, 24) ||
         code == 43 || code == 90 || is_within(code, 65, 72) || is_within(code, 100, 110);
}
std::size_t modbus_unit(Octets unit) noexcept {
  const std::size_t size = unit.be16(4);
  if (unit.be16(2) != 0 || !is_within(size, 2, 254) || !is_modbus_function(unit.u8(7))) return 0;
  return (unit.u8(7) & 0x80) == 0 || size == 3 ? size + 6 : 0;
}
Finding modbus(Octets payload) noexcept {
  if (payload.whole_size() < modbus_unit(payload)) return false;  // a unit is sent in one piece
  return is_stream_of(payload, 8, modbus_unit);
}

// The header's CRC (polynomial 0x3d65, reflected 0xa6bc).
std::uint16_t dnp3_crc(Octets bytes) noexcept {
  std::uint16_t crc = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc ^= bytes.u8(i);
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xa6bc : crc >> 1);
  }
  return static_cast<std::uint16_t>(~crc);
}
Finding dnp3(Octets payload) noexcept {
  constexpr std::size_t kHeader = 10;
  return payload.u8(2) >= 5 && payload.has(0, kHeader) && dnp3_crc(payload.part(0, 8)) == payload.le16(8);
}

// APDU: 0x68, size, four control fields that tell their format; an I format carries an ASDU.
std::size_t iec104_unit(Octets unit) noexcept {
  const std::size_t size = unit.u8(1);
  const auto first = unit.u8(2);
  if (unit.u8(0) != 0x68 || !is_within(size, 4, 253)) return 0;
  if ((first & 3) == 3) {  // U: one of six functions, the rest is zero
    const bool is_one = (first & 0xfc) != 0 && ((first >> 2) & ((first >> 2) - 1)) == 0;
    return size == 4 && is_one && unit.be24(3) == 0 ? 6 : 0;
  }
  if ((first & 3) == 1) return size == 4 && first == 1 && unit.u8(3) == 0 && (unit.u8(4) & 1) == 0 ? 6 : 0;  // S
  const auto type = unit.u8(6);
  const auto cause = unit.u8(8) & 0x3f;
  const bool is_type = is_within(type, 1, 21) || is_within(type, 30, 41) || is_within(type, 45, 51) ||
                       is_within(type, 58, 64) || type == 70 || is_within(type, 100, 127);
  const bool is_cause = is_within(cause, 1, 13) || is_within(cause, 20, 47);
  return size >= 10 && size + 2 <= unit.whole_size() && is_type && is_cause && (unit.u8(4) & 1) == 0 ? size + 2 : 0;
}
Finding iec104(Octets payload) noexcept { return is_stream_of(payload, 6, iec104_unit); }

Finding c37118(Octets payload) noexcept {  // sync word, size, id, time
  const auto kind = payload.u8(1) >> 4;
  const auto version = payload.u8(1) & 0x0f;
  return payload.u8(0) == 0xaa && kind <= 5 && is_within(version, 1, 2) && payload.be16(2) == payload.whole_size() &&
         payload.whole_size() >= 16 && payload.be16(4) != 0 && payload.be16(4) != 0xffff;
}

// TPKT, then a COTP data unit that ends a message; what it carries begins behind.
bool is_cotp_data(Octets payload) noexcept {
  return payload.be16(0) == 0x0300 && is_within(payload.be16(2), 8, 0xffff) && payload.be16(4) == 0x02f0 &&
         (payload.u8(6) & 0x7f) == 0;
}
// A COTP connection request or confirmation with called and calling selectors and a size: not the RDP form of it.
Finding cotp_connection(Octets payload) noexcept {
  const std::size_t size = payload.be16(2);
  if (payload.be16(0) != 0x0300 || size != payload.u8(4) + 5u || size > payload.whole_size()) return false;
  bool has_selector = false;
  for (std::size_t at = 11; at + 2 <= size && payload.has(at, 2); at += 2u + payload.u8(at + 1)) {
    if (!is_within(payload.u8(at), 0xc0, 0xcf)) return false;
    has_selector |= payload.u8(at) == 0xc1 || payload.u8(at) == 0xc2;
  }
  return has_selector;
}
// The same without selectors, or with a negotiation of RDP's behind it.
Finding cotp_plain(Octets payload) noexcept {
  const std::size_t size = payload.be16(2);
  return size == payload.u8(4) + 5u && size == payload.whole_size() &&
         (size == 11 || (size == 19 && payload.u8(13) == 8));
}
Finding s7(Octets payload) noexcept {
  const auto kind = payload.u8(8);
  if (!is_cotp_data(payload) || payload.u8(7) != 0x32) return false;
  const bool is_answer = kind == 2 || kind == 3;
  return (is_within(kind, 1, 3) || kind == 7) && payload.be16(9) == 0 &&
         17u + (is_answer ? 2u : 0u) + payload.be16(13) + payload.be16(15) == payload.be16(2);
}
Finding s7plus(Octets payload) noexcept {
  return is_cotp_data(payload) && payload.u8(7) == 0x72 && (payload.u8(8) <= 3 || payload.u8(8) >= 0xfe) &&
         payload.be16(9) + 11u <= payload.be16(2);
}
// ISO 8823 and 8327 before MMS (ISO 9506): a session connect or accept, or give-tokens and data with an MMS PDU.
Finding mms(Octets payload) noexcept {
  if (!is_cotp_data(payload)) return false;
  const auto spdu = payload.u8(7);
  if (spdu == 0x0d || spdu == 0x0e) return payload.u8(8) + 9u <= payload.be16(2) && is_within(payload.u8(9), 1, 0x33);
  return payload.be32(7) == 0x01000100 && payload.u8(11) == 0x61 && payload.u8(13) == 0x30;
}

bool is_enip_command(std::uint16_t command) noexcept {
  switch (command) {
    case 0x0004:  // list services, identity, interfaces
    case 0x0063:
    case 0x0064:
    case 0x0065:  // register, unregister
    case 0x0066:
    case 0x006f:  // send RR data, unit data
    case 0x0070:
    case 0x0072:
    case 0x0073:
      return true;
    default:
      return false;
  }
}
std::size_t enip_unit(Octets unit) noexcept {
  const std::size_t size = unit.le16(2);
  const bool is_reply_status = unit.le32(8) <= 0x69;
  if (!is_enip_command(unit.le16(0)) || !is_reply_status || unit.le32(20) != 0) return 0;
  const bool is_session = unit.le16(0) == 0x65;
  return !is_session || (size == 4 && unit.le16(24) <= 2) ? size + 24 : 0;
}
Finding enip(Octets payload) noexcept { return is_stream_of(payload, 24, enip_unit); }
// Connected I/O over UDP: two items, a sequenced address and connected data.
Finding cip_io(Octets payload) noexcept {
  return payload.le16(0) == 2 && payload.le16(2) == 0x8002 && payload.le16(4) == 8 && payload.le16(14) == 0x00b1 &&
         payload.le16(16) + 18u == payload.whole_size();
}

Finding opcua(Octets payload) noexcept {  // type, chunk, size
  return is_stream_of(payload, 8, [](Octets message) -> std::size_t {
    const std::size_t size = message.le32(4);
    const auto chunk = message.u8(3);
    const auto kind = message.part(0, 3).text();
    const bool is_kind = kind == "HEL" || kind == "ACK" || kind == "ERR" || kind == "RHE" || kind == "OPN" ||
                         kind == "MSG" || kind == "CLO";
    return is_kind && (chunk == 'F' || chunk == 'C' || chunk == 'A') && is_within(size, 8, 1u << 24) ? size : 0;
  });
}

std::size_t hart_message(Octets message) noexcept {  // version, type, id, status, sequence, size
  const std::size_t size = message.be16(6);
  if (!is_within(message.u8(0), 1, 2) || message.u8(1) > 2 || message.u8(2) > 4 || message.u8(3) > 0x10) return 0;
  if (message.u8(2) == 0) return size == 13 ? size : 0;  // session initiate
  if (message.u8(2) == 1 || message.u8(2) == 2) return size == 8 ? size : 0;
  return is_within(size, 8, 300) && message.u8(8) != 0 ? size : 0;
}
Finding hart_ip(Octets payload) noexcept {
  return payload.whole_size() >= 8 && payload.whole_size() == payload.be16(6) && hart_message(payload) != 0;
}

Finding fins(Octets payload) noexcept {  // over UDP: control, reserved, gateways, addresses, command
  constexpr std::size_t kHeader = 12;
  const auto control = payload.u8(0);
  const auto area = payload.be16(10);
  return (control & 0xbe) == 0x80 && payload.u8(1) == 0 && payload.u8(2) <= 7 && payload.u8(3) <= 127 &&
         payload.u8(6) <= 127 && payload.whole_size() >= kHeader && is_within(area >> 8, 1, 0x26) &&
         is_within(area & 0xff, 1, 0x40);
}
Finding fins_tcp(Octets payload) noexcept {  // "FINS", size, command, error
  return is_within(payload.be32(4), 8, 4096) && payload.be32(8) <= 6 && payload.be32(12) <= 0x25 &&
         payload.be32(4) + 8u >= std::min<std::size_t>(payload.whole_size(), 16);
}

Finding ads(Octets payload) noexcept {  // AMS/TCP: reserved, size, then target and source, command, flags, size
  const std::size_t size = payload.le32(2);
  const auto command = payload.le16(22);
  const auto flags = payload.le16(24);
  return payload.le16(0) == 0 && size >= 32 && size < (1u << 20) && payload.le32(26) + 32u == size &&
         is_within(command, 1, 9) && (flags == 4 || flags == 5);
}

constexpr Named kIndustrial[] = {
    {"ads", ads},
    {"c37118", c37118},
    {"cip_io", cip_io},
    {"cotp_connection", cotp_connection},
    {"cotp_plain", cotp_plain},
    {"dnp3", dnp3},
    {"enip", enip},
    {"fins", fins},
    {"fins_tcp", fins_tcp},
    {"hart_ip", hart_ip},
    {"iec104", iec104},
    {"mms", mms},
    {"modbus", modbus},
    {"opcua", opcua},
    {"s7", s7},
    {"s7plus", s7plus},
};

}  // namespace

Family industrial() noexcept { return kIndustrial; }

}  // namespace foreflow::classify::validate
