// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035) as also used by mDNS (RFC 6762) and LLMNR (RFC 4795).
#include "dataplane/classify/dns.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kHeader = 12;
constexpr std::size_t kLongestName = 255;
constexpr std::uint16_t kMostQuestions = 32;

bool is_label_byte(std::uint8_t byte) noexcept { return byte >= 0x20 && byte != 0x7f; }

// Position after the name at `at`; 0 when it is not one, or not all there.
std::size_t after_name(net::Octets message, std::size_t at) noexcept {
  const auto start = at;
  while (at - start <= kLongestName && message.has(at, 1)) {
    const std::size_t length = message.u8(at);
    if (length == 0) return at + 1;
    if (length >= 0xc0) {  // a pointer, always backwards
      const std::size_t target = message.be16(at) & 0x3fffu;
      return message.has(at, 2) && target >= kHeader && target < at ? at + 2 : 0;
    }
    if (length > 63 || !message.has(at + 1, length)) return 0;
    for (std::size_t i = 1; i <= length; ++i)
      if (!is_label_byte(message.u8(at + i))) return 0;
    at += 1 + length;
  }
  return 0;
}

// IANA's assignments: ordinary types, meta types, trust anchors.
bool is_type(std::uint16_t type) noexcept {
  return (type >= 1 && type <= 110) || (type >= 249 && type <= 262) || type == 0x8000 || type == 0x8001;
}

// The top bit is mDNS's "unicast answer wanted" or "flush the cache".
bool is_class(std::uint16_t value) noexcept {
  const auto number = value & 0x7fff;
  return number == 1 || number == 3 || number == 4 || number == 254 || number == 255;
}

bool is_record(net::Octets message, std::size_t at) noexcept {
  constexpr std::uint16_t kOpt = 41;  // its class is a size (RFC 6891)
  at = after_name(message, at);
  if (at == 0 || !message.has(at, 10)) return false;
  const auto type = message.be16(at);
  return is_type(type) && (type == kOpt || is_class(message.be16(at + 2)));
}

bool is_message(net::Octets message) noexcept {
  if (!message.has(0, kHeader)) return false;
  const auto flags = message.be16(2);
  const unsigned opcode = flags >> 11 & 15u;
  const bool is_answer = (flags & 0x8000) != 0;
  const auto questions = message.be16(4);
  const auto answers = message.be16(6);
  if (opcode > 6 || opcode == 3 || (flags & 0x40) != 0 || questions > kMostQuestions) return false;
  if (!is_answer && (flags & 0xf) != 0) return false;  // a question has no result code
  if (questions == 0) return is_answer && answers > 0 && is_record(message, kHeader);
  const auto at = after_name(message, kHeader);
  return at != 0 && message.has(at, 4) && is_type(message.be16(at)) && is_class(message.be16(at + 2));
}

// Whether the first name, which ends before `end`, has "local" as its last label.
bool ends_in_local(net::Octets message, std::size_t end) noexcept {
  constexpr std::string_view kLocal("\x05local\0", 7);
  if (end < kHeader + kLocal.size()) return false;
  auto last = message.part(end - kLocal.size(), kLocal.size()).text();
  return std::equal(last.begin(), last.end(), kLocal.begin(), kLocal.end(),
                    [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && (a | 0x20) == b); });
}

// A question's name is not compressed.
std::size_t read_question(net::Octets message, DnsName& out) noexcept {
  const auto end = after_name(message, kHeader);
  if (end == 0) return 0;
  out.size = 0;
  for (std::size_t at = kHeader; message.u8(at) != 0 && message.u8(at) < 0xc0;) {
    const std::size_t length = message.u8(at);
    if (out.size + length + 1 > out.text.size()) return 0;
    if (out.size != 0) out.text[out.size++] = '.';
    std::memcpy(out.text.data() + out.size, message.data() + at + 1, length);
    out.size += length;
    at += 1 + length;
  }
  return end + 4;  // type and class
}

}  // namespace

bool read_dns_addresses(net::Octets message, DnsAddresses& out) noexcept {
  constexpr std::uint16_t kA = 1, kAaaa = 28;
  constexpr std::uint16_t kMostAnswers = 64;
  out.count = 0;
  if (!message.has(0, kHeader) || (message.be16(2) & 0x8000) == 0 || message.be16(4) != 1) return false;
  auto at = read_question(message, out.question);
  const auto answers = std::min(message.be16(6), kMostAnswers);
  for (std::uint16_t i = 0; i < answers && at != 0 && out.count < DnsAddresses::kMost; ++i) {
    at = after_name(message, at);
    if (at == 0 || !message.has(at, 10)) break;
    const auto type = message.be16(at);
    const auto size = message.be16(at + 8);
    const auto data = message.part(at + 10, size);
    auto& address = out.addresses[out.count];
    address = {};
    if (type == kA && size == 4 && data.size() == 4) {
      address.bytes[10] = address.bytes[11] = 0xff;
      std::copy_n(data.data(), 4, address.bytes.begin() + 12);
      ++out.count;
    } else if (type == kAaaa && size == 16 && data.size() == 16) {
      std::copy_n(data.data(), 16, address.bytes.begin());
      ++out.count;
    }
    at += 10u + size;
  }
  return out.count != 0;
}

Finding validate_dns(net::Octets payload) noexcept { return is_message(payload); }

// The messages are DNS's own, so what tells them apart has to be in them: the top bit of a class, which plain DNS never
// sets, or a name that only local resolution has (RFC 6762, 5.4, 10.2 and 3). The id is 0, of answers all flags but
// two.
Finding validate_mdns(net::Octets payload) noexcept {
  const auto flags = payload.be16(2);
  if (payload.be16(0) != 0 || (flags != 0x0000 && flags != 0x8400) || !is_message(payload)) return false;
  const auto end = after_name(payload, kHeader);
  const auto type = payload.be16(end);
  constexpr std::uint16_t kOpt = 41;
  return ((payload.be16(end + 2) & 0x8000) != 0 && type != kOpt) || ends_in_local(payload, end);
}

// RFC 4795, 2.1: one question for a single label, as a host without a domain has; no flag of DNS's, and a query has
// nothing else in it. A stub resolver of DNS sets "recursion desired", and its server "recursion available".
Finding validate_llmnr(net::Octets payload) noexcept {
  const auto flags = payload.be16(2);
  const bool is_answer = (flags & 0x8000) != 0;
  const auto end = after_name(payload, kHeader);
  const std::size_t label = payload.u8(kHeader);
  if ((flags & ~0x8600) != 0 || payload.be16(4) != 1 || label == 0 || end != kHeader + label + 2) return false;
  if (!is_answer && (payload.be32(6) != 0 || payload.be16(10) != 0 || payload.whole_size() != end + 4)) return false;
  return is_message(payload);
}

Finding validate_dns_tcp(net::Octets payload) noexcept {
  // The length may come alone in the first segment; then there is nothing to judge yet.
  return payload.be16(0) >= kHeader && is_message(payload.part(2, payload.be16(0)));
}

}  // namespace foreflow::classify
