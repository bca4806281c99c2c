// SPDX-License-Identifier: Apache-2.0
// Calls: Skinny (SCCP), H.225 (Q.931 over TPKT), IAX2 (RFC 5456), SAP (RFC 2974), BFCP (RFC 8855), Zoom's datagrams,
// Discord's address discovery, TURN channels (RFC 8656), STUN without its cookie (RFC 3489), Mumble's ping, RTMP, SRT.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

Finding skinny(Octets payload) noexcept {  // size of id and body, version, id
  return is_stream_of(payload, 12, [](Octets message) -> std::size_t {
    const std::size_t size = message.le32(0);
    const auto version = message.le32(4);
    const auto id = message.le32(8);
    const bool is_id = id < 0x60 || is_within(id, 0x81, 0x160);
    return is_within(size, 4, 4'096) && (version == 0 || is_within(version, 0x0a, 0x17)) && is_id ? size + 8 : 0;
  });
}

Finding h225(Octets payload) noexcept {
  const auto type = payload.u8(8);
  return payload.be16(0) == 0x0300 && is_within(payload.be16(2), 10, 8'192) && payload.u8(4) == 8 &&
         payload.u8(5) == 2 && (is_within(type, 1, 15) || type == 0x5a || type == 0x62 || type == 0x7d || type == 0x6e);
}

Finding iax(Octets payload) noexcept {
  const auto type = payload.u8(10);
  const auto subclass = payload.u8(11) & 0x7f;
  if ((payload.u8(0) & 0x80) == 0 || !is_within(type, 1, 12) || payload.whole_size() < 12) return false;
  if (type != 6 || !is_within(subclass, 1, 40)) return false;  // media cannot be told from noise
  return payload.whole_size() == 12 || is_datagram_of(payload.part(12), 2, [](Octets element) -> std::size_t {
           return is_within(element.u8(0), 1, 60) ? element.u8(1) + 2u : 0;
         });
}

Finding sap(Octets payload) noexcept {
  const std::size_t address = (payload.u8(0) & 0x10) != 0 ? 16 : 4;
  const auto body = payload.part(4 + address + 4u * payload.u8(1));
  const auto text = body.text();
  return (payload.u8(0) & 0xe2) == 0x20 && payload.u8(1) <= 64 &&
         (text.starts_with("v=0") || text.starts_with("application/sdp"));
}

Finding bfcp(Octets payload) noexcept {
  return (payload.u8(0) & 0xe8) == 0x20 && is_within(payload.u8(1), 1, 18) &&
         payload.be16(2) * 4u + 12 == payload.whole_size() && payload.be32(4) != 0 &&
         (payload.be16(2) == 0 || is_within(payload.u8(13), 2, payload.be16(2) * 4u));
}

// Media behind the header of Zoom's forwarding unit: where RTP or RTCP begins depends on the kind.
bool is_zoom_media(Octets media) noexcept {
  std::size_t at = 0;
  switch (media.u8(0)) {
    case 13:
      at = 27;
      break;
    case 15:
      at = 19;
      break;
    case 16:
      at = 24;
      break;
    case 30:
      at = 20;
      break;
    case 33:
    case 34:
    case 35:
      at = 16;
      break;
    default:
      return false;
  }
  return (media.u8(at) >> 6) == 2 && media.has(at, 2);
}
Finding zoom(Octets payload) noexcept {
  switch (payload.u8(0)) {
    case 1:  // asks for a session, gets one, keeps it alive
      return payload.u8(1) == 0 && is_within(payload.u8(2), 1, 3) && is_within(payload.whole_size(), 96, 128) &&
             is_all(payload.part(19, 5), 0);
    case 2:
      return payload.u8(1) == 0 && is_within(payload.u8(2), 1, 3) && payload.whole_size() == 35;
    case 3:
      return payload.be32(1) == 1 && payload.whole_size() == 13;
    case 5:
      return (payload.u8(7) == 0 || payload.u8(7) == 4) && is_zoom_media(payload.part(8));
    default:
      return false;
  }
}

Finding discord(Octets payload) noexcept {  // type, size 70, source, an address as text, a port
  return payload.whole_size() == 74 && payload.be16(2) == 70 && payload.be32(4) != 0 &&
         (payload.be16(0) == 1 || payload.be16(0) == 2) &&
         (payload.be16(0) == 1 ? is_all(payload.part(8, 32), 0) : is_printable(payload.part(8, 7)));
}

Finding line_call(Octets payload) noexcept {
  return is_within(payload.u8(0) >> 3, 0x1a, 0x1b) && (payload.be16(0) & 0x7ffu) + 4u == payload.whole_size() &&
         payload.whole_size() >= 24;
}

Finding turn_channel(Octets payload) noexcept {
  const std::size_t size = payload.be16(2) + 4u;
  return is_within(payload.be16(0), 0x4000, 0x4fff) && size >= 12 && size <= payload.whole_size() &&
         payload.whole_size() <= size + 3;
}

// Attributes to the exact end, as there is no cookie.
Finding stun_classic(Octets payload) noexcept {
  const auto type = payload.be16(0);
  const bool is_type = type == 0x0001 || type == 0x0101 || type == 0x0111 || type == 0x0002 || type == 0x0102;
  const std::size_t size = payload.be16(2);
  if (!is_type || size + 20 != payload.whole_size() || payload.be64(4) == 0) return false;
  return size == 0 || is_datagram_of(payload.part(20), 4, [](Octets attribute) -> std::size_t {
           const bool is_known = is_within(attribute.be16(0), 1, 0x28) || attribute.be16(0) >= 0x8000;
           return is_known ? (attribute.be16(2) + 3u) / 4 * 4 + 4 : 0;
         });
}

// Over TCP each message stands behind its size (RFC 4571).
Finding stun_framed(Octets payload) noexcept {
  const std::size_t size = payload.be16(0);
  return payload.be16(4) + 20u <= size && size + 2 <= payload.whole_size() + 1'500;
}

// A size behind the mark, eight bytes that name the channel, then the message to its end.
Finding stun_multiplexed(Octets payload) noexcept {
  const std::size_t size = payload.be16(2);
  return size + 4 == payload.whole_size() && payload.be16(14) + 28u == size;
}

Finding mumble(
    Octets payload) noexcept {  // a ping: type 0, an id; its answer: version 1.x, users, most users, bandwidth
  const auto size = payload.whole_size();
  if (size == 12) return payload.be32(0) == 0 && payload.be32(4) != 0 && payload.be32(8) != 0;
  return size == 24 && payload.be16(0) == 1 && payload.be32(12) <= payload.be32(16) &&
         is_within(payload.be32(16), 1, 100'000) && is_within(payload.be32(20), 1'000, 10'000'000);
}

Finding rtmp(Octets payload) noexcept {  // version 3, a time, zeros or a version; 1,536 bytes in segments
  return payload.whole_size() >= 500 && payload.whole_size() <= 3'073 &&
         (payload.be32(5) == 0 || is_within(payload.u8(5), 0x09, 0x80)) && payload.be32(9) != 0;
}

Finding srt(Octets payload) noexcept {  // a handshake: version 4 or 5, window, type
  return payload.be32(0) == 0x80000000 && payload.be32(4) == 0 && payload.whole_size() >= 64 &&
         is_within(payload.be32(16), 4, 5) && is_within(payload.be32(28), 76, 9'000);
}

constexpr Named kCalls[] = {
    {"bfcp", bfcp},
    {"discord", discord},
    {"h225", h225},
    {"iax", iax},
    {"line_call", line_call},
    {"mumble", mumble},
    {"rtmp", rtmp},
    {"sap", sap},
    {"skinny", skinny},
    {"srt", srt},
    {"stun_classic", stun_classic},
    {"stun_framed", stun_framed},
    {"stun_multiplexed", stun_multiplexed},
    {"turn_channel", turn_channel},
    {"zoom", zoom},
};

}  // namespace

Family calls() noexcept { return kCalls; }

}  // namespace foreflow::classify::validate
