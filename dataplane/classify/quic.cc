// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/quic.h"

#include <algorithm>
#include <cstring>

// The calls on SHA256_CTX are called deprecated, but alone take no memory: EVP takes some for each digest.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

using Salt = std::array<std::uint8_t, 20>;

constexpr std::uint32_t kVersion1 = 1, kVersion2 = 0x6b3343cf;
constexpr std::uint32_t kDrafts = 0xff000000, kFacebook22 = 0xfaceb001, kFacebook27 = 0xfaceb002;
constexpr std::uint32_t kQ050 = 0x51303530, kT050 = 0x54303530, kT051 = 0x54303531;

constexpr Salt kSaltVersion1{0x38, 0x76, 0x2c, 0xf7, 0xf5, 0x59, 0x34, 0xb3, 0x4d, 0x17,
                             0x9a, 0xe6, 0xa4, 0xc8, 0x0c, 0xad, 0xcc, 0xbb, 0x7f, 0x0a};  // RFC 9001, 5.2
constexpr Salt kSaltVersion2{0x0d, 0xed, 0xe3, 0xde, 0xf7, 0x00, 0xa6, 0xdb, 0x81, 0x93,
                             0x81, 0xbe, 0x6e, 0x26, 0x9d, 0xcb, 0xf9, 0xbd, 0x2e, 0xd9};  // RFC 9369, 3.3.1
constexpr Salt kSaltDraft29{0xaf, 0xbf, 0xec, 0x28, 0x99, 0x93, 0xd2, 0x4c, 0x9e, 0x97,
                            0x86, 0xf1, 0x9c, 0x61, 0x11, 0xe0, 0x43, 0x90, 0xa8, 0x99};
constexpr Salt kSaltDraft23{0xc3, 0xee, 0xf7, 0x12, 0xc7, 0x2e, 0xbb, 0x5a, 0x11, 0xa7,
                            0xd2, 0x43, 0x2b, 0xb4, 0x63, 0x65, 0xbe, 0xf9, 0xf5, 0x02};
constexpr Salt kSaltDraft21{0x7f, 0xbc, 0xdb, 0x0e, 0x7c, 0x66, 0xbb, 0xe9, 0x2a, 0x96,
                            0xcd, 0x21, 0x51, 0x9e, 0xbd, 0x7a, 0x02, 0x64, 0x4a, 0x00};
constexpr Salt kSaltQ050{0x50, 0x45, 0x74, 0xef, 0xd0, 0x66, 0xfe, 0x2f, 0x9d, 0x94,
                         0x5c, 0xfc, 0xdb, 0xd3, 0xa7, 0xf0, 0xd3, 0xb5, 0x6b, 0x45};
constexpr Salt kSaltT050{0x7f, 0xf5, 0x79, 0xe5, 0xac, 0xd0, 0x72, 0x91, 0x55, 0x80,
                         0x30, 0x4c, 0x43, 0xa2, 0x36, 0x7c, 0x60, 0x48, 0x83, 0x10};
constexpr Salt kSaltT051{0x7a, 0x4e, 0xde, 0xf4, 0xe7, 0xcc, 0xee, 0x5f, 0xa4, 0x50,
                         0x6c, 0x19, 0x12, 0x4f, 0xc8, 0xcc, 0xda, 0x6e, 0x03, 0x3d};

unsigned draft_of(std::uint32_t version) noexcept { return (version & 0xffffff00) == kDrafts ? version & 0xff : 0u; }

const Salt* salt_of(std::uint32_t version) noexcept {
  switch (version) {
    case kVersion1:
      return &kSaltVersion1;
    case kVersion2:
      return &kSaltVersion2;
    case kFacebook22:
      return &kSaltDraft21;
    case kFacebook27:
      return &kSaltDraft23;
    case kQ050:
      return &kSaltQ050;
    case kT050:
      return &kSaltT050;
    case kT051:
      return &kSaltT051;
    default:
      break;
  }
  const auto draft = draft_of(version);
  if (draft >= 29 && draft <= 34) return draft >= 33 ? &kSaltVersion1 : &kSaltDraft29;
  if (draft >= 23 && draft <= 28) return &kSaltDraft23;
  return draft >= 21 && draft <= 22 ? &kSaltDraft21 : nullptr;
}

struct Varint {
  std::uint64_t value = 0;
  std::size_t size = 0;
};
Varint varint(net::Octets bytes, std::size_t at) noexcept {  // RFC 9000, 16
  const std::size_t size = std::size_t{1} << (bytes.u8(at) >> 6);
  std::uint64_t value = bytes.u8(at) & 0x3f;
  for (std::size_t i = 1; i < size; ++i) value = value << 8 | bytes.u8(at + i);
  return {value, size};
}

// Version 2 renumbers the types (RFC 9369, 3.2). 0 = Initial, 3 = Retry.
unsigned packet_type(std::uint8_t first, std::uint32_t version) noexcept {
  return ((first >> 4) - (version == kVersion2 ? 1u : 0u)) & 3u;
}

constexpr unsigned kInitial = 0, kRetry = 3;

// RFC 8999, 5.1: the part that no version may change. Position behind it; 0 when it is none.
std::size_t after_connection_ids(net::Octets datagram) noexcept {
  const std::size_t destination_size = datagram.u8(5);
  const std::size_t source_at = 6 + destination_size;
  const std::size_t source_size = datagram.u8(source_at);
  if ((datagram.u8(0) & 0x80) == 0 || destination_size > kLongestConnectionId || source_size > kLongestConnectionId ||
      !datagram.has(source_at, 1 + source_size))
    return 0;
  return source_at + 1 + source_size;
}

// Position of the length field of an Initial, Handshake or 0-RTT packet; 0 when the token does not fit.
std::size_t length_at(net::Octets datagram, unsigned type, std::size_t at) noexcept {
  if (type != kInitial) return at;
  const auto token = varint(datagram, at);
  return token.value <= datagram.size() ? at + token.size + token.value : 0;
}

// HMAC-SHA256 (RFC 2104). OpenSSL's own would allocate for each key.
void hmac(std::span<const std::uint8_t> key, std::span<const std::uint8_t> message, std::uint8_t* out) noexcept {
  constexpr std::size_t kBlock = 64, kDigest = 32;
  std::array<std::uint8_t, kBlock> inner{}, outer{};
  std::copy(key.begin(), key.end(), inner.begin());  // keys here are shorter than a block
  outer = inner;
  for (auto& byte : inner) byte ^= 0x36;
  for (auto& byte : outer) byte ^= 0x5c;
  SHA256_CTX context;
  std::array<std::uint8_t, kDigest> middle;
  SHA256_Init(&context);
  SHA256_Update(&context, inner.data(), kBlock);
  SHA256_Update(&context, message.data(), message.size());
  SHA256_Final(middle.data(), &context);
  SHA256_Init(&context);
  SHA256_Update(&context, outer.data(), kBlock);
  SHA256_Update(&context, middle.data(), kDigest);
  SHA256_Final(out, &context);
}

// HKDF-Expand-Label (RFC 8446, 7.1) for up to one block of output.
void expand(std::span<const std::uint8_t> secret, std::string_view label, std::span<std::uint8_t> out) noexcept {
  constexpr std::string_view kPrefix = "tls13 ";
  std::array<std::uint8_t, 64> info{};
  std::size_t at = 0;
  info[at++] = 0;
  info[at++] = static_cast<std::uint8_t>(out.size());
  info[at++] = static_cast<std::uint8_t>(kPrefix.size() + label.size());
  at = static_cast<std::size_t>(std::copy(kPrefix.begin(), kPrefix.end(), info.begin() + 3) - info.begin());
  at = static_cast<std::size_t>(std::copy(label.begin(), label.end(), info.begin() + static_cast<std::ptrdiff_t>(at)) -
                                info.begin());
  info[at++] = 0;  // no context
  info[at++] = 1;  // the first block
  std::array<std::uint8_t, 32> block;
  hmac(secret, std::span(info).first(at), block.data());
  std::copy_n(block.begin(), out.size(), out.begin());
}

// False for a version whose salt is not known.
bool derive(std::uint32_t version, net::Octets destination_id, QuicKeys& out) noexcept {
  const auto* salt = salt_of(version);
  if (salt == nullptr || destination_id.size() == 0) return false;
  std::array<std::uint8_t, 32> initial, client;
  const bool is_2 = version == kVersion2;
  hmac(*salt, {destination_id.data(), destination_id.size()}, initial.data());
  expand(initial, "client in", client);
  expand(client, is_2 ? "quicv2 key" : "quic key", out.key);
  expand(client, is_2 ? "quicv2 iv" : "quic iv", out.iv);
  expand(client, is_2 ? "quicv2 hp" : "quic hp", out.header);
  return true;
}

}  // namespace

bool read_quic_header(net::Octets datagram, QuicLongHeader& out) noexcept {
  const auto ids_end = after_connection_ids(datagram);
  out.version = datagram.be32(1);
  if (ids_end == 0 || out.version == 0) return false;
  const auto type = packet_type(datagram.u8(0), out.version);
  if (type == kRetry) return false;  // nothing follows it
  const auto at = length_at(datagram, type, ids_end);
  if (at == 0) return false;
  const auto size = varint(datagram, at);
  if (!datagram.has(at, size.size) || size.value < 20 || !datagram.has(at + size.size, size.value)) return false;
  out.is_initial = type == kInitial;
  out.destination_id = datagram.part(6, datagram.u8(5));
  out.number_at = at + size.size;
  out.end = out.number_at + size.value;
  return true;
}

bool take_quic_frame(net::Octets& frames, QuicFrame& out) noexcept {
  constexpr std::uint64_t kPadding = 0, kPing = 1, kAck = 2, kAckEcn = 3, kCrypto = 6;
  const auto type = frames.u8(0);
  std::size_t at = 1;
  const auto next = [&frames, &at] {
    const auto read = varint(frames, at);
    at += read.size;
    return read.value;
  };
  out = {};
  if (type == kPadding) {
    while (at < frames.size() && frames.u8(at) == kPadding) ++at;
  } else if (type == kAck || type == kAckEcn) {
    next(), next();
    const auto ranges = next();
    next();
    for (std::uint64_t i = 0; i < ranges && at < frames.size(); ++i) next(), next();
    if (type == kAckEcn) next(), next(), next();
  } else if (type == kCrypto) {
    out.is_crypto = true;
    out.offset = next();
    const auto size = next();
    out.bytes = frames.part(at, size);
    at += std::min<std::uint64_t>(size, frames.size());
  } else if (type != kPing) {
    return false;
  }
  frames = frames.part(at);
  return true;
}

std::string_view google_quic_name(net::Octets datagram) noexcept {
  constexpr std::size_t kLargestHeader = 64, kEntry = 8;
  constexpr std::uint32_t kMostTags = 128;
  const auto hello_at = datagram.text().substr(0, kLargestHeader).find("CHLO");
  if (hello_at == std::string_view::npos) return {};
  const auto hello = datagram.part(hello_at);
  const auto tags = std::min<std::uint32_t>(hello.le16(4), kMostTags);
  const auto values = hello.part(8 + kEntry * tags);
  std::uint32_t begin = 0;
  for (std::uint32_t i = 0; i < tags; ++i) {
    const auto entry = hello.part(8 + kEntry * i);
    const auto end = entry.le32(4);
    if (entry.text().starts_with(std::string_view("SNI\0", 4)) && end >= begin)
      return values.part(begin, end - begin).text();
    begin = end;
  }
  return {};
}

void QuicDecoder::FreeCipher::operator()(EVP_CIPHER_CTX* context) const noexcept { EVP_CIPHER_CTX_free(context); }

QuicDecoder::QuicDecoder() : aead_(EVP_CIPHER_CTX_new()), mask_(EVP_CIPHER_CTX_new()) {}
QuicDecoder::~QuicDecoder() = default;

Result<std::unique_ptr<QuicDecoder>> QuicDecoder::create() {
  std::unique_ptr<QuicDecoder> decoder(new QuicDecoder);
  // Contexts keep their algorithm; from now on only keys are set.
  if (!decoder->aead_ || !decoder->mask_ ||
      EVP_DecryptInit_ex(decoder->aead_.get(), EVP_aes_128_gcm(), nullptr, nullptr, nullptr) != 1 ||
      EVP_EncryptInit_ex(decoder->mask_.get(), EVP_aes_128_ecb(), nullptr, nullptr, nullptr) != 1)
    return fail(ErrorCode::kUnsupported, "OpenSSL offers no AES-128-GCM or AES-128-ECB; QUIC needs them");
  return decoder;
}

net::Octets QuicDecoder::open_with_new_keys(net::Octets datagram, const QuicLongHeader& header,
                                            QuicKeys& keys) noexcept {
  QuicKeys candidate;
  if (!derive(header.version, header.destination_id, candidate)) return {};
  const auto frames = open(datagram, header, candidate);
  if (frames.size() == 0) return {};
  keys = candidate;
  keys.is_set = true;
  return frames;
}

net::Octets QuicDecoder::open(net::Octets datagram, const QuicLongHeader& header, const QuicKeys& keys) noexcept {
  constexpr std::size_t kSample = 16, kTag = 16;
  if (header.end > kLargestDatagram || !datagram.has(header.number_at + 4, kSample)) return {};
  std::array<std::uint8_t, 16> mask;
  int written = 0;
  if (EVP_EncryptInit_ex(mask_.get(), nullptr, nullptr, keys.header.data(), nullptr) != 1 ||
      EVP_EncryptUpdate(mask_.get(), mask.data(), &written, datagram.data() + header.number_at + 4, kSample) != 1)
    return {};

  // Header protection off (RFC 9001, 5.4.1), in a copy.
  std::array<std::uint8_t, 128 + kLongestConnectionId * 2> associated;
  auto nonce = keys.iv;
  const auto first = static_cast<std::uint8_t>(datagram.u8(0) ^ (mask[0] & 0x0f));
  const std::size_t number_size = (first & 3u) + 1u;
  const std::size_t header_size = header.number_at + number_size;
  if (header_size + kTag > header.end || header_size > associated.size()) return {};
  std::copy_n(datagram.data(), header_size, associated.begin());
  associated[0] = first;
  for (std::size_t i = 0; i < number_size; ++i) {
    associated[header.number_at + i] ^= mask[1 + i];
    nonce[nonce.size() - number_size + i] ^= associated[header.number_at + i];
  }

  const auto size = static_cast<int>(header.end - header_size - kTag);
  std::array<std::uint8_t, kTag> tag;
  std::copy_n(datagram.data() + header.end - kTag, kTag, tag.begin());
  auto* context = aead_.get();
  if (EVP_DecryptInit_ex(context, nullptr, nullptr, keys.key.data(), nonce.data()) != 1 ||
      EVP_DecryptUpdate(context, nullptr, &written, associated.data(), static_cast<int>(header_size)) != 1 ||
      EVP_DecryptUpdate(context, plain_.data(), &written, datagram.data() + header_size, size) != 1 ||
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTag, tag.data()) != 1 ||
      EVP_DecryptFinal_ex(context, plain_.data() + written, &written) != 1)
    return {};
  return net::Octets(std::span<const std::uint8_t>(plain_).first(static_cast<std::size_t>(size)));
}

// A long header of any version with what its type says about the rest.
Finding validate_quic_long(net::Octets payload) noexcept {
  const auto at = after_connection_ids(payload);
  if (at == 0) return false;
  const auto version = payload.be32(1);
  if (version == 0) return payload.whole_size() > at && (payload.whole_size() - at) % 4 == 0;  // a list of versions
  const auto type = packet_type(payload.u8(0), version);
  if (type == kRetry) return payload.whole_size() >= at + 17;  // a token and the integrity tag
  const auto size_at = length_at(payload, type, at);
  const auto size = varint(payload, size_at);
  if (!payload.has(size_at, size.size)) return size_at != 0 && !payload.is_whole();
  return size_at != 0 && size.value >= 20 && size.value <= payload.whole_size() - size_at - size.size;
}

}  // namespace foreflow::classify
