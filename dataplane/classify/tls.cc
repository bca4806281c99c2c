// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/tls.h"

#include <algorithm>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::uint32_t kLargestRecord = (1u << 14) + 256;  // RFC 8446, 5.2
constexpr std::uint32_t kLargestHello = 1u << 16;
constexpr std::uint16_t kServerName = 0, kAlpn = 16, kEncryptedHello = 0xfe0d, kEncryptedServerName = 0xffce;
constexpr std::size_t kLongestHostName = 255;

bool is_type(std::uint8_t byte, TlsRecord type) noexcept { return byte == static_cast<std::uint8_t>(type); }
bool is_type(std::uint8_t byte, TlsMessage type) noexcept { return byte == static_cast<std::uint8_t>(type); }

// `extension`: the body of server_name. The first entry of type host_name.
std::string_view host_name(net::Octets extension) noexcept {
  const auto size = extension.be16(3);
  if (extension.u8(2) != 0 || !extension.has(5, size)) return {};
  const auto name = extension.part(5, size).text();
  return is_host_name(name) ? name : std::string_view{};
}

std::string_view first_alpn(net::Octets extension) noexcept { return extension.part(3, extension.u8(2)).text(); }

void read_extensions(net::Octets extensions, ClientHello& out) noexcept {
  for (std::size_t at = 0; extensions.has(at, 4);) {
    const auto size = extensions.be16(at + 2);
    const auto body = extensions.part(at + 4, size);
    switch (extensions.be16(at)) {
      case kServerName:
        out.server_name = host_name(body);
        break;
      case kAlpn:
        out.alpn = first_alpn(body);
        break;
      case kEncryptedHello:
      case kEncryptedServerName:
        out.has_encrypted_hello = true;
        break;
      default:
        break;
    }
    at += 4u + size;
  }
}

}  // namespace

bool is_tls_record(net::Octets bytes) noexcept {
  const auto type = bytes.u8(0);
  const auto size = bytes.be16(3);
  return bytes.has(0, kTlsRecordHeader) && type >= 20 && type <= 23 && bytes.u8(1) == 3 && bytes.u8(2) <= 4 &&
         size > 0 && size <= kLargestRecord;
}

std::size_t take_handshake(net::Octets stream, std::span<std::uint8_t> out, bool& ended) noexcept {
  std::size_t taken = 0;
  ended = false;
  while (stream.has(0, kTlsRecordHeader)) {
    if (!is_tls_record(stream) || !is_type(stream.u8(0), TlsRecord::kHandshake)) {
      ended = true;
      break;
    }
    const auto content = stream.part(kTlsRecordHeader, stream.be16(3));
    const auto count = std::min(content.size(), out.size() - taken);
    std::copy_n(content.data(), count, out.begin() + static_cast<std::ptrdiff_t>(taken));
    taken += count;
    stream = stream.part(kTlsRecordHeader + stream.be16(3));
  }
  return taken;
}

ClientHello read_client_hello(net::Octets message) noexcept {
  ClientHello out;
  if (!is_type(message.u8(0), TlsMessage::kClientHello)) return out;
  const auto size = message.be24(1);
  const auto hello = message.part(kTlsMessageHeader, size);
  out.is_complete = hello.size() == size && size != 0;
  std::size_t at = 2 + 32;                             // version, random
  at += 1u + hello.u8(at);                             // session id
  if (message.u8(4) == 0xfe) at += 1u + hello.u8(at);  // DTLS: cookie
  at += 2u + hello.be16(at);                           // cipher suites
  at += 1u + hello.u8(at);                             // compression methods
  read_extensions(hello.part(at + 2, hello.be16(at)), out);
  return out;
}

bool is_host_name(std::string_view name) noexcept {
  if (name.starts_with("*.")) name.remove_prefix(2);
  return !name.empty() && name.size() <= kLongestHostName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

bool is_made_up_name(std::string_view name, std::string_view ending) noexcept {
  constexpr std::string_view kStart = "www.";
  constexpr std::size_t kShortest = 8, kLongest = 25;
  if (!name.starts_with(kStart) || !name.ends_with(ending)) return false;
  if (name.size() < kStart.size() + ending.size() + kShortest || name.size() > kStart.size() + ending.size() + kLongest)
    return false;
  const auto random = name.substr(kStart.size(), name.size() - kStart.size() - ending.size());
  const auto is_digit = [](char c) { return c >= '2' && c <= '7'; };
  // Nearly all of them have a digit, and hardly any word has one.
  return std::any_of(random.begin(), random.end(), is_digit) &&
         std::all_of(random.begin(), random.end(), [&](char c) { return is_digit(c) || (c >= 'a' && c <= 'z'); });
}

bool is_tor_certificate(net::Octets bytes) noexcept {
  std::size_t count = 0;
  bool is_tor = false;
  std::string_view issuer;
  visit_certificate_names(bytes, [&](std::string_view name) {
    ++count;
    if (count == 1) issuer = name;
    if (count == 2) is_tor = is_made_up_name(issuer, ".com") && is_made_up_name(name, ".net");
    return count > 2;
  });
  return is_tor && count == 2;
}

// DER is not walked, since the start may be missing: id-at-commonName (06 03 55 04 03), then a string; a dNSName is [2]
// (82) in the sequence behind id-ce-subjectAltName (06 03 55 1d 11).
std::size_t next_certificate_name(net::Octets bytes, std::size_t at, std::string_view& name) noexcept {
  constexpr std::uint8_t kDnsName = 0x82, kUtf8 = 0x0c, kPrintable = 0x13;
  name = {};
  const auto* begin = bytes.data();
  for (; bytes.has(at, 7); ++at) {
    const auto tag = begin[at];
    const bool is_common_name = (tag == kUtf8 || tag == kPrintable) && at >= 3 && bytes.be24(at - 3) == 0x550403;
    if (tag != kDnsName && !is_common_name) continue;
    const std::size_t size = begin[at + 1];
    if (size < 4 || size >= 0x80 || !bytes.has(at + 2, size)) continue;
    const auto text = bytes.part(at + 2, size).text();
    if (!is_host_name(text) || text.find('.') == std::string_view::npos) continue;
    name = text.starts_with("*.") ? text.substr(2) : text;
    return at + 2 + size;
  }
  return bytes.size();
}

Finding validate_tls_handshake(net::Octets payload) noexcept {
  const auto message = payload.part(kTlsRecordHeader);
  const auto size = message.be24(1);
  if (!is_tls_record(payload) || payload.be16(3) < kTlsMessageHeader || size < 38 || size > kLargestHello ||
      message.u8(kTlsMessageHeader) != 3)
    return false;
  Finding finding(true);
  // Of a hello in several records or segments only the first is seen here.
  finding.name = read_client_hello(payload.part(kTlsRecordHeader, payload.be16(3))).server_name;
  return finding;
}

Finding validate_tls_records(net::Octets payload) noexcept {
  if (!is_tls_record(payload)) return false;
  const auto next = payload.part(kTlsRecordHeader + payload.be16(3));
  return next.size() < kTlsRecordHeader || is_tls_record(next);
}

}  // namespace foreflow::classify
