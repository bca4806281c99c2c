// SPDX-License-Identifier: Apache-2.0
// Peers and coins: BitTorrent's messages and uTP (BEP 3, 29), Gnutella, eDonkey, Ethereum (discv4, RLPx), Nano, Levin.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

std::size_t torrent_message(Octets message) noexcept {
  const std::size_t size = message.be32(0);
  switch (message.u8(4)) {
    case 0:  // choke, unchoke, interested, not interested
    case 1:
    case 2:
    case 3:
      return size == 1 ? 5 : 0;
    case 4:
      return size == 5 ? 9 : 0;
    case 5:  // bit field
      return is_within(size, 2, 1u << 16) ? size + 4 : 0;
    case 6:  // request, cancel: index, begin, 16 KiB
    case 8:
      return size == 13 && is_within(message.be32(13), 1, 1u << 17) && message.be32(9) % 16'384 == 0 ? 17 : 0;
    case 7:
      return size == 16'393 && message.be32(5) < (1u << 20) && message.be32(9) % 16'384 == 0 ? size + 4 : 0;
    case 9:
      return size == 3 ? 7 : 0;
    case 20:  // extended: a dictionary
      return size > 3 && size < (1u << 20) && (message.u8(6) == 'd') ? size + 4 : 0;
    default:
      return 0;
  }
}
Finding torrent(Octets payload) noexcept {
  const auto type = payload.u8(4);
  const bool may_go_on = type == 7 || type == 20;
  // A bit field is bytes of any value: what follows it must be a message too.
  if (type == 5 && payload.be32(0) + std::size_t{4} + 5 > payload.whole_size()) return false;
  return is_stream_of(payload, 5, torrent_message) && (may_go_on || torrent_message(payload) <= payload.whole_size());
}

Finding utp(Octets payload) noexcept {
  const auto type = payload.u8(0) >> 4;
  if ((payload.u8(0) & 15u) != 1 || type > 4 || payload.be32(4) == 0) return false;
  auto extension = payload.u8(1);
  std::size_t at = 20;
  for (int i = 0; i < 4 && extension != 0; ++i) {
    if (extension > 3 || (payload.has(at, 2) && !is_within(payload.u8(at + 1), 1, 64))) return false;
    extension = payload.u8(at);
    at += 2u + payload.u8(at + 1);
  }
  const auto size = payload.whole_size();
  if (extension != 0 || size < at || payload.be32(12) > (64u << 20)) return false;
  return type == 0 ? size > at : size == at && (type != 4 || payload.be32(8) == 0);
}

bool is_gnutella_type(std::uint8_t type) noexcept {
  constexpr std::uint8_t kTypes[] = {0x00, 0x01, 0x02, 0x30, 0x31, 0x32, 0x40, 0x41, 0x42, 0x44, 0x80, 0x81};
  return std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
}
std::size_t gnutella_descriptor(Octets descriptor) noexcept {  // id, type, time to live, hops, size
  const std::size_t size = descriptor.le32(19);
  return is_gnutella_type(descriptor.u8(16)) && descriptor.u8(17) <= 16 && descriptor.u8(18) <= 16 &&
                 descriptor.u8(17) + descriptor.u8(18) <= 16 && size <= 65'536 && descriptor.be64(0) != 0 &&
                 descriptor.be64(8) != 0 && descriptor.u8(17) + descriptor.u8(18) > 0
             ? size + 23
             : 0;
}
Finding gnutella(Octets payload) noexcept { return is_datagram_of(payload, 23, gnutella_descriptor); }
Finding gnutella2(Octets payload) noexcept {  // "GND", flags, sequence, part, count
  return payload.u8(6) >= 1 && payload.u8(6) <= std::max<unsigned>(payload.u8(7), 1u) && payload.whole_size() >= 8;
}

Finding edonkey(Octets payload) noexcept {
  const auto opcode = payload.u8(5);
  const std::size_t size = payload.le32(1);
  const bool is_opcode = opcode == 0x01 || opcode == 0x4c || is_within(opcode, 0x14, 0x1c) ||
                         is_within(opcode, 0x32, 0x62) || is_within(opcode, 0x81, 0x9c) || opcode == 0x40 ||
                         opcode == 0x38;
  return is_within(size, 1, 1u << 20) && is_opcode && size + 5 >= payload.whole_size() &&
         (opcode != 0x01 || payload.u8(6) == 0x10 || size > 24);
}
Finding edonkey_udp(Octets payload) noexcept {
  const auto opcode = payload.u8(1);
  const auto size = payload.whole_size();
  if (payload.u8(0) == 0xe4)  // Kademlia: boot, hello, request, answer, ping
    return (opcode == 0x01 && size == 2) || (opcode == 0x21 && size == 35) || (opcode == 0x60 && size == 2) ||
           (opcode == 0x61 && size == 4) || (opcode == 0x29 && size == 19 + 25u * payload.u8(18)) ||
           ((opcode == 0x11 || opcode == 0x19) && size >= 22 && payload.u8(20) <= 9);
  return (opcode == 0x96 && size == 6) || (opcode == 0x97 && is_within(size, 14, 46)) ||
         (opcode == 0xa2 && size == 6) || (opcode == 0x90 && size == 18) || (opcode == 0x91 && size <= 20 && size >= 2);
}

// RLP's list header: where the list ends.
std::size_t rlp_list_size(Octets bytes) noexcept {
  const auto first = bytes.u8(0);
  if (first < 0xc0) return 0;
  if (first <= 0xf7) return 1u + (first - 0xc0u);
  if (first == 0xf8) return 2u + bytes.u8(1);
  return first == 0xf9 ? 3u + bytes.be16(1) : 0;
}
Finding discv4(Octets payload) noexcept {  // hash, signature with its recovery id, type, a list
  constexpr std::size_t kHeader = 98;
  if (!is_within(payload.u8(97), 1, 6) || !is_within(payload.whole_size(), kHeader + 1, 1'280)) return false;
  const auto size = rlp_list_size(payload.part(kHeader));
  return payload.u8(96) <= 3 && size != 0 && kHeader + size <= payload.whole_size();
}
Finding rlpx(Octets payload) noexcept {  // EIP-8: size, then ECIES with an uncompressed key
  return is_within(payload.be16(0), 169, 1'000) && payload.be16(0) + 2u == payload.whole_size() && payload.u8(2) == 4;
}

Finding nano(Octets payload) noexcept {  // 'R', network, versions, type, extensions
  return payload.u8(2) >= payload.u8(3) && payload.u8(3) >= payload.u8(4) && payload.u8(2) <= 40 &&
         payload.u8(3) >= 5 && is_within(payload.u8(5), 2, 15) && payload.whole_size() >= 8;
}

Finding levin(Octets payload) noexcept {  // signature, size, answer wanted, command, result, flags, version
  return payload.le32(12) == 0 && payload.u8(16) <= 1 && is_within(payload.le32(17), 1'001, 3'000);
}

Finding oicq(Octets payload) noexcept {  // 2, version, command, sequence, number, ..., 3
  constexpr std::uint16_t kCommands[] = {0x0001, 0x0002, 0x0004, 0x0006, 0x000d, 0x000e, 0x0016, 0x0017, 0x0018,
                                         0x001c, 0x001d, 0x0021, 0x0022, 0x0026, 0x0027, 0x0030, 0x0031, 0x0058,
                                         0x005c, 0x0062, 0x0065, 0x0067, 0x0078, 0x007c, 0x0081, 0x0088, 0x0091,
                                         0x00b5, 0x00ba, 0x00cd, 0x00ce, 0x00cf, 0x00d1, 0x00d8, 0x00dd, 0x00e5,
                                         0x0101, 0x0102, 0x0115, 0x0825, 0x0826, 0x0828, 0x0836, 0x0839};
  const bool is_command = std::find(std::begin(kCommands), std::end(kCommands), payload.be16(3)) != std::end(kCommands);
  const auto size = payload.whole_size();
  return is_command && is_within(payload.u8(1), 0x0a, 0x4f) && size >= 12 && payload.be32(7) >= 10'000 &&
         (!payload.is_whole() || payload.u8(size - 1) == 3);
}

// WeChat's mmtls: like TLS records, of version 0xf103 or 0xf104.
Finding mmtls(Octets payload) noexcept {
  return is_stream_of(payload, 5, [](Octets record) -> std::size_t {
    return is_within(record.u8(0), 0x15, 0x19) && record.u8(1) == 0xf1 && is_within(record.u8(2), 3, 4) &&
                   record.be16(3) > 0
               ? record.be16(3) + 5u
               : 0;
  });
}

constexpr Named kPeers[] = {
    {"discv4", discv4},     {"edonkey", edonkey},     {"edonkey_udp", edonkey_udp},
    {"gnutella", gnutella}, {"gnutella2", gnutella2}, {"levin", levin},
    {"mmtls", mmtls},       {"nano", nano},           {"oicq", oicq},
    {"rlpx", rlpx},         {"torrent", torrent},     {"utp", utp},
};

}  // namespace

Family peers() noexcept { return kPeers; }

}  // namespace foreflow::classify::validate
