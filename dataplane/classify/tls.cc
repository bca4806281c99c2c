// SPDX-License-Identifier: Apache-2.0
// TLS records and the server name of a ClientHello (RFC 8446, RFC 6066).
#include <algorithm>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kHandshakeHeader = 4;
constexpr std::uint32_t kLargestRecord = (1u << 14) + 256;  // RFC 8446, 5.2
constexpr std::uint32_t kLargestHello = 1u << 16;
constexpr std::uint8_t kChangeCipherSpec = 20, kApplicationData = 23;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint16_t kServerName = 0;
constexpr std::size_t kLongestHostName = 255;

bool is_record(net::Octets bytes) noexcept {
  const auto type = bytes.u8(0);
  const auto size = bytes.be16(3);
  return bytes.has(0, kRecordHeader) && type >= kChangeCipherSpec && type <= kApplicationData && bytes.u8(1) == 3 &&
         bytes.u8(2) <= 4 && size > 0 && size <= kLargestRecord;
}

bool is_host_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= kLongestHostName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

// `extension`: the body of server_name. The first entry of type host_name.
std::string_view host_name(net::Octets extension) noexcept {
  const auto size = extension.be16(3);
  if (extension.u8(2) != 0 || !extension.has(5, size)) return {};
  const auto name = extension.part(5, size).text();
  return is_host_name(name) ? name : std::string_view{};
}

// `hello`: the body of a ClientHello, perhaps cut off. "" when the name is not among the bytes present.
std::string_view server_name(net::Octets hello) noexcept {
  std::size_t at = 2 + 32;    // version, random
  at += 1u + hello.u8(at);    // session id
  at += 2u + hello.be16(at);  // cipher suites
  at += 1u + hello.u8(at);    // compression methods
  const std::size_t end = at + 2 + hello.be16(at);
  for (at += 2; at + 4 <= end && hello.has(at, 4);) {
    const auto size = hello.be16(at + 2);
    if (hello.be16(at) == kServerName) return host_name(hello.part(at + 4, size));
    at += 4u + size;
  }
  return {};
}

}  // namespace

Finding validate_tls_handshake(net::Octets payload) noexcept {
  const auto hello_size = payload.be24(kRecordHeader + 1);
  if (!is_record(payload) || payload.be16(3) < kHandshakeHeader || hello_size < 38 || hello_size > kLargestHello ||
      payload.u8(kRecordHeader + kHandshakeHeader) != 3)
    return false;
  Finding finding(true);
  // A hello in several records or segments is read as far as the first of each goes.
  if (payload.u8(kRecordHeader) == kClientHello)
    finding.name = server_name(payload.part(kRecordHeader, payload.be16(3)).part(kHandshakeHeader, hello_size));
  return finding;
}

Finding validate_tls_records(net::Octets payload) noexcept {
  if (!is_record(payload)) return false;
  const auto next = payload.part(kRecordHeader + payload.be16(3));
  return next.size() < kRecordHeader || is_record(next);
}

}  // namespace foreflow::classify
