// SPDX-License-Identifier: Apache-2.0
// DNS messages (RFC 1035) as also used by mDNS (RFC 6762) and LLMNR (RFC 4795).
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

}  // namespace

Finding validate_dns(net::Octets payload) noexcept { return is_message(payload); }

Finding validate_dns_tcp(net::Octets payload) noexcept {
  // The length may come alone in the first segment; then there is nothing to judge yet.
  return payload.be16(0) >= kHeader && is_message(payload.part(2, payload.be16(0)));
}

}  // namespace foreflow::classify
