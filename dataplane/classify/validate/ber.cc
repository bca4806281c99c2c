// SPDX-License-Identifier: Apache-2.0
// Protocols in BER (X.690): SNMP (RFC 3412), LDAP (RFC 4511), Kerberos (RFC 4120) and its password change (RFC 3244),
// ANSI C12.22, Z39.50.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

constexpr std::uint8_t kInteger = 0x02, kOctets = 0x04, kSequence = 0x30;

bool is_integer(const Ber& element, std::size_t most) noexcept {
  return element.tag == kInteger && element.header != 0 && is_within(element.size, 1, most);
}

bool is_snmp_v3_header(Octets body) noexcept {
  const auto id = read_ber(body);
  const auto size = read_ber(after(body, id));
  return is_integer(id, 5) && is_integer(size, 5) && read_ber(after(after(body, id), size)).tag == kOctets;
}

bool is_snmp_message(Octets message) noexcept {
  const auto version = read_ber(message);
  if (!is_integer(version, 1)) return false;
  const auto number = message.u8(2);
  const auto second = after(message, version);
  const auto element = read_ber(second);
  if (number == 3) return element.tag == kSequence && is_snmp_v3_header(content_of(second, element));
  if (number > 1 || element.tag != kOctets || !is_printable(content_of(second, element))) return false;
  const auto pdu = read_ber(after(second, element));
  return is_within(pdu.tag, 0xa0, 0xa8) && version.whole() + element.whole() + pdu.whole() <= message.whole_size();
}

Finding snmp(Octets payload) noexcept {
  const auto outer = read_ber(payload);
  return outer.header != 0 && outer.whole() <= payload.whole_size() && is_snmp_message(content_of(payload, outer));
}

bool is_ldap_operation(std::uint8_t tag) noexcept {
  switch (tag) {
    case 0x42:  // unbind, delete, abandon are primitive
    case 0x4a:
    case 0x50:
    case 0x73:  // search reference
    case 0x77:  // extended request, extended and intermediate response
    case 0x78:
    case 0x79:
      return true;
    default:
      return is_within(tag, 0x60, 0x6f) && tag != 0x62 && tag != 0x6a;
  }
}
std::size_t ldap_message(Octets message) noexcept {
  const auto outer = read_ber(message);
  if (outer.tag != kSequence || outer.header == 0 || outer.size < 5) return 0;
  const auto inside = content_of(message, outer);
  const auto id = read_ber(inside);
  const auto operation = read_ber(after(inside, id));
  if (!is_integer(id, 4) || operation.header == 0 || !is_ldap_operation(operation.tag)) return 0;
  return id.whole() + operation.whole() <= outer.size ? outer.whole() : 0;
}
Finding ldap(Octets payload) noexcept { return is_stream_of(payload, 7, ldap_message); }

// The application tag is the message's type, which is stated again behind the version.
bool is_kerberos_message(Octets message) noexcept {
  const auto outer = read_ber(message);
  const auto body = content_of(message, outer);
  const auto sequence = read_ber(body);
  if (outer.header == 0 || sequence.tag != kSequence || sequence.header == 0) return false;
  if (outer.size < sequence.whole() || outer.whole() > message.whole_size() + 65'536) return false;
  const auto fields = content_of(body, sequence);
  const unsigned type = outer.tag & 0x1fu;
  const unsigned first = type == 10 || type == 12 ? 0xa1 : 0xa0;  // requests number their fields from 1
  return fields.u8(0) == first && fields.be32(1) == 0x03020105 && fields.u8(5) == first + 1 &&
         fields.be24(6) == 0x030201 && fields.u8(9) == type;
}
Finding kerberos(Octets payload) noexcept {
  return read_ber(payload).whole() <= payload.whole_size() && is_kerberos_message(payload);
}
Finding kerberos_tcp(Octets payload) noexcept {
  const std::size_t size = payload.be32(0);
  return read_ber(payload.part(4)).whole() == size && is_kerberos_message(payload.part(4));
}
// Length, version, length of an AP-REQ or AP-REP that follows.
Finding kpasswd(Octets payload) noexcept {
  const auto start = payload.be16(0) == 0 && payload.size() > 4 ? payload.part(4) : payload;
  const auto inner = start.be16(4);
  return start.be16(0) == start.whole_size() && (start.be16(2) == 1 || start.be16(2) == 0xff80) &&
         inner + 6u <= start.whole_size() && (inner == 0 || start.u8(6) == 0x6e || start.u8(6) == 0x6f);
}

// ACSE: [APPLICATION 0] with the ApTitles and the application context of ANSI C12.22 (1.2.840.10066).
Finding c1222(Octets payload) noexcept {
  const auto outer = read_ber(payload);
  const auto first = read_ber(content_of(payload, outer));
  return outer.header != 0 && outer.whole() >= payload.whole_size() && first.header != 0 &&
         first.whole() < outer.size && is_within(first.tag, 0x80, 0xbe);
}

// Z39.50's initRequest [20] and initResponse [21]: protocol version and options as bit strings [3], [4].
Finding z3950(Octets payload) noexcept {
  const auto outer = read_ber(payload);
  auto inside = content_of(payload, outer);
  if (outer.header == 0 || outer.size < 16) return false;
  if (inside.u8(0) == 0x82) inside = after(inside, read_ber(inside));  // a reference id
  const auto version = read_ber(inside);
  const auto options = read_ber(after(inside, version));
  return version.tag == 0x83 && is_within(version.size, 2, 4) && options.tag == 0x84 && is_within(options.size, 2, 6);
}

constexpr Named kBer[] = {
    {"c1222", c1222}, {"kerberos", kerberos}, {"kerberos_tcp", kerberos_tcp}, {"kpasswd", kpasswd}, {"ldap", ldap},
    {"snmp", snmp},   {"z3950", z3950},
};

}  // namespace

Family ber() noexcept { return kBer; }

}  // namespace foreflow::classify::validate
