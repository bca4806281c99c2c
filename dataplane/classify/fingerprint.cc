// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/fingerprint.h"

#include <algorithm>
#include <span>

// These calls are called deprecated, but alone take no memory: EVP takes some for each digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "dataplane/classify/tls.h"

namespace foreflow::classify {
namespace {

constexpr std::uint16_t kServerName = 0, kSignatures = 13, kAlpn = 16, kVersions = 43;
constexpr std::size_t kDigits = 12;
constexpr std::string_view kHex = "0123456789abcdef";

// Values of two bytes, without those that only keep servers tolerant (GREASE, RFC 8701).
struct Values {
  static constexpr std::size_t kMost = 160;
  std::array<std::uint16_t, kMost> all;
  std::size_t count = 0;

  void add(std::uint16_t value) noexcept {
    const bool is_grease = (value & 0x0f0f) == 0x0a0a && value >> 8 == (value & 0xff);
    if (!is_grease && count < kMost) all[count++] = value;
  }
  std::span<std::uint16_t> view() noexcept { return std::span(all).first(count); }
};

Values values_of(net::Octets list) noexcept {
  Values values;
  for (std::size_t at = 0; list.has(at, 2); at += 2) values.add(list.be16(at));
  return values;
}

// Four digits each, with commas between them.
struct Text {
  std::array<char, 2 * 5 * Values::kMost + 1> bytes;
  std::size_t size = 0;

  void put(char one) noexcept { bytes[size++] = one; }
  void put(std::span<const std::uint16_t> values) noexcept {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i != 0) put(',');
      for (int shift = 12; shift >= 0; shift -= 4) put(kHex[values[i] >> shift & 15]);
    }
  }
  std::string_view view() const noexcept { return {bytes.data(), size}; }
};

struct Offered {
  Values ciphers, extensions, signatures;
  std::uint16_t version = 0;
  bool has_name = false;
  std::string_view alpn;
};

Offered read_offer(net::Octets message) noexcept {
  Offered offered;
  const bool is_dtls = message.u8(4) == 0xfe;
  const auto hello = message.part(kTlsMessageHeader);
  offered.version = hello.be16(0);
  std::size_t at = 2 + 32;
  at += 1u + hello.u8(at);
  if (is_dtls) at += 1u + hello.u8(at);
  offered.ciphers = values_of(hello.part(at + 2, hello.be16(at)));
  at += 2u + hello.be16(at);
  at += 1u + hello.u8(at);
  const auto extensions = hello.part(at + 2, hello.be16(at));
  for (at = 0; extensions.has(at, 4);) {
    const auto type = extensions.be16(at);
    const auto body = extensions.part(at + 4, extensions.be16(at + 2));
    offered.extensions.add(type);
    if (type == kServerName) offered.has_name = true;
    if (type == kAlpn) offered.alpn = body.part(3, body.u8(2)).text();
    if (type == kSignatures) offered.signatures = values_of(body.part(2, body.be16(0)));
    if (type == kVersions) {
      auto versions = values_of(body.part(1, body.u8(0)));
      const auto all = versions.view();
      if (!all.empty())
        offered.version =
            is_dtls ? *std::min_element(all.begin(), all.end()) : *std::max_element(all.begin(), all.end());
    }
    at += 4u + extensions.be16(at + 2);
  }
  return offered;
}

std::string_view name_of(std::uint16_t version) noexcept {
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0xfeff:
      return "d1";
    case 0xfefd:
      return "d2";
    case 0xfefc:
      return "d3";
    default:
      return "00";
  }
}

bool is_alphanumeric(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void put_start(const Offered& offered, HelloOver over, char* out) noexcept {
  const auto put_count = [&out](std::size_t count) {
    count = std::min<std::size_t>(count, 99);
    *out++ = static_cast<char>('0' + count / 10), *out++ = static_cast<char>('0' + count % 10);
  };
  *out++ = static_cast<char>(over);
  out = std::copy_n(name_of(offered.version).data(), 2, out);
  *out++ = offered.has_name ? 'd' : 'i';
  put_count(offered.ciphers.count);
  put_count(offered.extensions.count);
  const auto& alpn = offered.alpn;
  const bool is_text = !alpn.empty() && is_alphanumeric(alpn.front()) && is_alphanumeric(alpn.back());
  const auto first = alpn.empty() ? 0u : static_cast<std::uint8_t>(alpn.front());
  const auto last = alpn.empty() ? 0u : static_cast<std::uint8_t>(alpn.back());
  *out++ = is_text ? alpn.front() : kHex[first >> 4];
  *out++ = is_text ? alpn.back() : kHex[last & 15];
  *out = '_';
}

// The first 12 hexadecimal digits of the text's SHA-256.
void put_digest(std::string_view text, char* out) noexcept {
  if (text.empty()) {
    std::fill_n(out, kDigits, '0');
    return;
  }
  SHA256_CTX context;
  std::array<std::uint8_t, 32> digest;
  SHA256_Init(&context);
  SHA256_Update(&context, text.data(), text.size());
  SHA256_Final(digest.data(), &context);
  for (std::size_t i = 0; i < kDigits; ++i) out[i] = kHex[digest[i / 2] >> (i % 2 == 0 ? 4 : 0) & 15];
}

}  // namespace

std::optional<Fingerprint> read_fingerprint(net::Octets message, HelloOver over) noexcept {
  if (!read_client_hello(message).is_complete) return std::nullopt;
  auto offered = read_offer(message);
  Fingerprint made;
  put_start(offered, over, made.text.data());

  Text ciphers;
  std::sort(offered.ciphers.view().begin(), offered.ciphers.view().end());
  ciphers.put(offered.ciphers.view());
  Text rest;  // the name and ALPN say whom it talks to, not who it is
  auto sorted = offered.extensions.view();
  std::sort(sorted.begin(), sorted.end());
  Values own;
  for (const auto type : sorted)
    if (type != kServerName && type != kAlpn) own.add(type);
  rest.put(own.view());
  if (offered.signatures.count != 0) rest.put('_'), rest.put(offered.signatures.view());

  made.text[23] = '_';
  put_digest(ciphers.view(), made.text.data() + 11);
  put_digest(rest.view(), made.text.data() + 24);
  return made;
}

}  // namespace foreflow::classify
