// SPDX-License-Identifier: Apache-2.0
// RTP and RTCP (RFC 3550, RFC 3551), RTP inside of RTSP (RFC 7826, 14), STUN (RFC 8489).
#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

struct Rtp {
  unsigned type = 0;
  net::Octets media;
};

// Empty media when the header is no RTP header.
Rtp read_rtp(net::Octets packet) noexcept {
  constexpr std::size_t kHeader = 12;
  if ((packet.u8(0) >> 6) != 2) return {};
  std::size_t at = kHeader + 4 * (packet.u8(0) & 15u);
  if ((packet.u8(0) & 0x10) != 0) at += 4 + 4 * std::size_t{packet.be16(at + 2)};
  std::size_t padding = (packet.u8(0) & 0x20) != 0 ? packet.u8(packet.size() - 1) : 0;
  const bool bad_padding = (packet.u8(0) & 0x20) != 0 && padding == 0;
  if (!packet.has(at, padding + 1) || bad_padding || packet.be32(8) == 0) return {};
  return {packet.u8(1) & 0x7fu, packet.part(at, packet.size() - at - padding)};
}

bool is_transport_stream(net::Octets media) noexcept {
  constexpr std::size_t kPacket = 188;
  constexpr std::uint8_t kSync = 0x47;
  for (std::size_t at = 0; at < media.size(); at += kPacket)
    if (media.u8(at) != kSync) return false;
  return media.size() % kPacket == 0;
}

// RFC 3551's fixed types, each with what its encoding says about the size.
bool fits_static_type(const Rtp& rtp) noexcept {
  const auto size = rtp.media.size();
  constexpr std::size_t kMostAudio = 640;
  switch (rtp.type) {
    case 0:  // PCMU
    case 8:  // PCMA
    case 9:  // G722: eight bytes a millisecond
      return size % 40 == 0 && size <= kMostAudio;
    case 3:  // GSM
      return size % 33 == 0 && size <= kMostAudio;
    case 4:  // G723
      return size % 24 == 0 || size % 20 == 0 || size == 4;
    case 18:  // G729, with a frame of comfort noise at most
      return (size % 10 == 0 || size % 10 == 2) && size <= kMostAudio;
    case 33:
      return is_transport_stream(rtp.media);
    default:
      return false;
  }
}

bool is_rtcp_packet(net::Octets packet) noexcept {
  constexpr std::uint8_t kSenderReport = 200, kReceiverReport = 201, kLast = 207;
  const auto type = packet.u8(1);
  const std::size_t blocks = packet.u8(0) & 0x1fu;
  const std::size_t words = packet.be16(2);
  if ((packet.u8(0) >> 6) != 2 || type < kSenderReport || type > kLast || !packet.has(0, 4 * (words + 1))) return false;
  if (type == kSenderReport) return words >= 6 + 6 * blocks;
  if (type == kReceiverReport) return words >= 1 + 6 * blocks;
  return true;
}

}  // namespace

Finding validate_rtp_static(net::Octets payload) noexcept {
  const auto rtp = read_rtp(payload);
  return rtp.media.size() > 0 && fits_static_type(rtp);
}

Finding validate_rtp_dynamic(net::Octets payload) noexcept {
  constexpr std::size_t kLeast = 8, kMost = 1'500;
  const auto rtp = read_rtp(payload);
  return rtp.type >= 96 && rtp.media.size() >= kLeast && rtp.media.size() <= kMost;
}

Finding validate_rtcp(net::Octets payload) noexcept {
  constexpr int kMostPackets = 16;
  for (int i = 0; i < kMostPackets && payload.size() > 0; ++i) {
    if (!is_rtcp_packet(payload)) return false;
    payload = payload.part(4 * (std::size_t{payload.be16(2)} + 1));
  }
  return payload.size() == 0;
}

Finding validate_rtsp_interleaved(net::Octets payload) noexcept {
  const auto size = payload.be16(2);
  if (size < 12) return false;
  const auto next = payload.part(4u + size);
  return next.size() == 0 || next.u8(0) == '$' || next.u8(0) == 'R';  // another frame, or a reply in between
}

Finding validate_stun(net::Octets payload) noexcept {
  constexpr std::size_t kHeader = 20;
  const std::size_t size = payload.be16(2);
  if ((payload.be16(0) & 0xc000) != 0 || kHeader + size > payload.whole_size()) return false;
  return size == 0 || !payload.has(kHeader, 4) || std::size_t{payload.be16(kHeader + 2)} + 4 <= size;
}

}  // namespace foreflow::classify
