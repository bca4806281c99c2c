// SPDX-License-Identifier: Apache-2.0
// NTP (RFC 5905), SMB over NetBIOS sessions, RDP's connection request (X.224), MQTT, AMQP 0-9-1 frames.
#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kNtpHeader = 48;

// A client may leave everything but mode and version at zero; a server states how well it knows the time.
bool is_ntp_time(net::Octets payload) noexcept {
  constexpr std::uint8_t kMostStratum = 16, kMostPoll = 17;
  const auto stratum = payload.u8(1);
  const auto poll = payload.u8(2);
  const auto precision = payload.u8(3);  // log2 of seconds: 0, or negative
  if (stratum > kMostStratum || poll > kMostPoll || (precision != 0 && precision < 0xe0)) return false;
  constexpr std::uint32_t kMostRoot = 16u << 16;  // seconds, 16.16
  if (payload.be32(4) > kMostRoot && payload.be32(4) < 0xffff0000) return false;
  if (payload.be32(8) > kMostRoot) return false;
  const bool is_server = (payload.u8(0) & 7) == 4;
  return !is_server || payload.be32(40) != 0;  // it says when it sent
}

// An MQTT packet begins at 0: its whole size, or 0.
std::size_t mqtt_packet_size(net::Octets payload) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto byte = payload.u8(1 + i);
    size |= std::size_t{byte & 0x7fu} << (7 * i);
    if ((byte & 0x80) == 0) return payload.has(0, 2 + i) ? size + 2 + i : 0;
  }
  return 0;
}

// MQTT 3.1.1, 2.2: each type's flags are fixed, but PUBLISH's.
bool has_mqtt_type(net::Octets payload) noexcept {
  constexpr unsigned kPublish = 3, kPubRel = 6, kSubscribe = 8, kUnsubscribe = 10, kAuth = 15;
  const unsigned type = payload.u8(0) >> 4;
  const unsigned flags = payload.u8(0) & 15u;
  if (type == 0) return false;
  if (type == kPublish) return (flags & 6u) != 6u;
  if (type == kAuth) return flags == 0;
  return flags == (type == kPubRel || type == kSubscribe || type == kUnsubscribe ? 2u : 0u);
}

}  // namespace

Finding validate_ntp(net::Octets payload) noexcept {
  constexpr std::size_t kMostTrailer = 400;  // extension fields and a digest
  const unsigned mode = payload.u8(0) & 7u;
  const unsigned version = payload.u8(0) >> 3 & 7u;
  if (version < 1 || version > 4) return false;
  if (mode == 6) return payload.size() >= 12 && 12u + payload.be16(10) <= payload.size();  // control: offset, count
  if (mode == 7) {  // private: four bits of error, how many items of which size; a request is padded
    const std::size_t items = payload.be16(4) & 0xfffu, size = payload.be16(6) & 0xfffu;
    const bool is_answer = (payload.u8(0) & 0x80) != 0;
    if (version < 2 || (payload.be16(6) & 0xf000) != 0 || items * size > 500) return false;
    const auto whole = 8 + items * size;
    return is_answer ? whole == payload.whole_size() : payload.whole_size() >= whole && payload.whole_size() <= 216;
  }
  return mode >= 1 && mode <= 5 && payload.size() >= kNtpHeader && payload.size() <= kNtpHeader + kMostTrailer &&
         payload.size() % 4 == 0 && is_ntp_time(payload);
}

Finding validate_smb(net::Octets payload) noexcept {
  constexpr std::uint8_t kVersion2 = 0xfe;
  constexpr std::size_t kSession = 4;
  if (payload.be24(1) < 32) return false;
  return payload.u8(kSession) != kVersion2 || payload.le16(kSession + 4) == 64;
}

Finding validate_rdp(net::Octets payload) noexcept {
  // The X.224 length counts all behind itself (RFC 1006, ISO 8073).
  return payload.be16(2) == payload.size() && payload.u8(4) + 5u == payload.size();
}

Finding validate_mqtt(net::Octets payload) noexcept {
  constexpr int kMostPackets = 32;
  for (int i = 0; i < kMostPackets && payload.size() > 0; ++i) {
    const auto size = mqtt_packet_size(payload);
    if (size == 0 || !has_mqtt_type(payload)) return false;
    if (size > payload.size()) return i > 0;
    payload = payload.part(size);
  }
  return true;
}

Finding validate_amqp_frame(net::Octets payload) noexcept {
  constexpr std::uint8_t kFrameEnd = 0xce;
  constexpr std::uint32_t kLargest = 1u << 24;
  const auto size = payload.be32(3);
  return size >= 4 && size <= kLargest && (payload.size() < 8u + size || payload.u8(7u + size) == kFrameEnd);
}

}  // namespace foreflow::classify
