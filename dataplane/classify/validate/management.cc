// SPDX-License-Identifier: Apache-2.0
// Addresses and access: DHCP (RFC 2131), DHCPv6 (RFC 8415), RADIUS (RFC 2865), Diameter (RFC 6733), TACACS+ (RFC 8907),
// SLP (RFC 2165, 2608), NAT-PMP (RFC 6886), PCP (RFC 6887), PFCP (TS 29.244).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

Finding dhcp(Octets payload) noexcept {
  constexpr std::size_t kCookieAt = 236, kPadAt = 34, kPad = 10;
  constexpr std::uint32_t kCookie = 0x63825363;
  if (payload.whole_size() < kCookieAt + 4 || (payload.be16(10) & 0x7fff) != 0) return false;
  if (payload.has(kCookieAt, 4)) return payload.be32(kCookieAt) == kCookie;
  return !payload.is_whole() && payload.has(kPadAt, kPad) && is_all(payload.part(kPadAt, kPad), 0);
}

bool are_dhcpv6_options(Octets options) noexcept {
  return is_datagram_of(options, 4, [](Octets option) -> std::size_t {
    return is_within(option.be16(0), 1, 150) ? option.be16(2) + 4u : 0;
  });
}
Finding dhcpv6(Octets payload) noexcept {
  constexpr std::size_t kHeader = 4, kRelayHeader = 34;
  const bool is_relay = payload.u8(0) == 12 || payload.u8(0) == 13;
  if (is_relay && payload.u8(1) > 32) return false;
  return payload.whole_size() > kHeader && are_dhcpv6_options(payload.part(is_relay ? kRelayHeader : kHeader));
}

Finding radius(Octets payload) noexcept {
  constexpr std::size_t kHeader = 20, kMost = 4096;
  const std::size_t size = payload.be16(2);
  if (!is_within(size, kHeader, kMost) || size > payload.whole_size() || payload.whole_size() > size + 8) return false;
  if (is_all(payload.part(4, 16), 0)) return false;  // an authenticator is never zero, but in some accounting requests
  if (size == kHeader) return payload.whole_size() == kHeader;
  constexpr int kEnough = 4;  // attributes in order are proof, whatever follows
  auto rest = payload.part(kHeader, size - kHeader);
  for (int i = 0; i < kEnough && rest.size() > 0; ++i) {
    if (rest.u8(0) == 0 || rest.u8(1) < 2 || rest.u8(1) > rest.whole_size()) return false;
    rest = rest.part(rest.u8(1));
  }
  return true;
}

Finding diameter(Octets payload) noexcept {
  return is_stream_of(payload, 20, [](Octets message) -> std::size_t {
    const std::size_t size = message.be24(1);
    if (message.u8(0) != 1 || (message.u8(4) & 0x0f) != 0 || message.be24(5) == 0 || size < 20 || size % 4 != 0)
      return 0;
    if (size == 20) return size;
    const std::size_t avp = message.be24(25);  // flags, then the size of the first AVP
    return (message.u8(24) & 0x1f) == 0 && avp >= 8 && avp + 20 <= size && message.be32(20) != 0 ? size : 0;
  });
}

Finding tacacs(Octets payload) noexcept {
  constexpr std::size_t kHeader = 12, kMost = 1u << 16;
  const std::size_t size = payload.be32(8);
  return is_within(payload.u8(0), 0xc0, 0xc1) && is_within(payload.u8(1), 1, 3) && payload.u8(2) != 0 &&
         (payload.u8(3) & ~0x05u) == 0 && payload.be32(4) != 0 && is_within(size, 5, kMost) &&
         kHeader + size == payload.whole_size();
}

bool is_language(Octets tag) noexcept {
  const auto text = tag.text();
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}
Finding slp(Octets payload) noexcept {
  if (payload.u8(0) == 1)  // version 1: function, size, flags, dialect, language, encoding, id
    return is_within(payload.u8(1), 1, 10) && payload.be16(2) == payload.whole_size() && payload.u8(5) == 0 &&
           is_language(payload.part(6, 2));
  const std::size_t language = payload.be16(12);
  return payload.u8(0) == 2 && is_within(payload.u8(1), 1, 11) && payload.be24(2) == payload.whole_size() &&
         (payload.be16(5) & 0x1fff) == 0 && payload.be24(7) < payload.whole_size() && is_within(language, 1, 16) &&
         is_language(payload.part(14, language));
}

Finding nat_pmp(Octets payload) noexcept {
  const auto size = payload.whole_size();
  switch (payload.u8(1)) {
    case 0:
      return payload.be16(0) == 0 && size == 2;
    case 1:
    case 2:  // reserved, internal and wanted port, lifetime
      return size == 12 && payload.be16(2) == 0 && payload.be16(4) != 0 && payload.be32(8) < 10'000'000;
    case 128:
      return size == 12 && payload.be16(2) <= 5;
    case 129:
    case 130:
      return size == 16 && payload.be16(2) <= 5;
    default:
      return false;
  }
}

Finding pcp(Octets payload) noexcept {
  constexpr std::size_t kHeader = 24, kMost = 1100;
  const auto opcode = payload.u8(1) & 0x7fu;
  const bool is_response = (payload.u8(1) & 0x80) != 0;
  constexpr std::size_t kBody[] = {0, 36, 56};  // ANNOUNCE, MAP, PEER
  if (payload.u8(0) != 2 || opcode > 2 || payload.u8(2) != 0 || (!is_response && payload.u8(3) != 0)) return false;
  return payload.whole_size() >= kHeader + kBody[opcode] && payload.whole_size() <= kMost &&
         payload.whole_size() % 4 == 0;
}

Finding pfcp(Octets payload) noexcept {
  const auto type = payload.u8(1);
  const bool is_node = is_within(type, 1, 15);
  const bool has_session = (payload.u8(0) & 1) != 0;
  const std::size_t header = has_session ? 16 : 8;
  if ((payload.u8(0) & 0xf8) != 0x20 || (!is_node && !is_within(type, 50, 57)) || has_session == is_node) return false;
  if (payload.be16(2) + 4u > payload.whole_size() || payload.be16(2) + 4u < header) return false;
  const auto elements = payload.part(header);
  return elements.whole_size() == 0 || (elements.be16(0) != 0 && elements.be16(2) + 4u <= elements.whole_size());
}

// A SASL buffer with one wrap token: size; token id, flags, filler, two counts, a number.
Finding gss_wrap(Octets payload) noexcept {
  constexpr std::size_t kToken = 16;
  const std::size_t size = payload.be32(0);
  return is_within(size, kToken + 12, 1u << 18) && size + 4 >= payload.whole_size() && payload.be16(4) == 0x0504 &&
         payload.u8(6) <= 7 && payload.u8(7) == 0xff && payload.be16(8) <= 64 && payload.be16(10) <= 64;
}

constexpr Named kManagement[] = {
    {"gss_wrap", gss_wrap}, {"dhcp", dhcp}, {"dhcpv6", dhcpv6}, {"diameter", diameter}, {"nat_pmp", nat_pmp},
    {"pcp", pcp},           {"pfcp", pfcp}, {"radius", radius}, {"slp", slp},           {"tacacs", tacacs},
};

}  // namespace

Family management() noexcept { return kManagement; }

}  // namespace foreflow::classify::validate
