// SPDX-License-Identifier: Apache-2.0
// Games: RakNet, Photon, Minecraft's handshake, Warcraft III, The Elder Scrolls Online, CryNetwork, Genshin Impact's
// connection packets, ENet's handshake.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

constexpr std::string_view kRakNetMagic = "\x00\xff\xff\x00\xfe\xfe\xfe\xfe\xfd\xfd\xfd\xfd\x12\x34\x56\x78";

bool has_magic(Octets payload, std::size_t at) noexcept {
  return payload.part(at, 16).text() == std::string_view(kRakNetMagic.data(), 16);
}
// Ranges of acknowledged datagrams: a single number or two of them, each of three bytes.
bool is_raknet_ack(Octets payload) noexcept {
  std::size_t at = 3;
  const auto count = payload.be16(1);
  if (!is_within(count, 1, 512)) return false;
  for (unsigned i = 0; i < count && payload.has(at, 1); ++i) {
    if (payload.u8(at) > 1) return false;
    at += payload.u8(at) == 1 ? 4 : 7;
  }
  return !payload.is_whole() || at == payload.whole_size();
}
Finding raknet(Octets payload) noexcept {
  const auto size = payload.whole_size();
  switch (payload.u8(0)) {
    case 0x01:  // ping
    case 0x02:
      return has_magic(payload, 9) && size >= 25;
    case 0x1c:  // pong: time, id, magic, a name with its size
      return (has_magic(payload, 17) || size == 35u + payload.be16(33)) && size >= 33;
    case 0xa0:
    case 0xc0:
      return is_raknet_ack(payload);
    default:  // open connection, its answers, refusals
      return has_magic(payload, 1) && size >= 17;
  }
}

// Photon: peer, checksum or not, count, time, challenge; then commands with their sizes.
Finding photon(Octets payload) noexcept {
  constexpr std::size_t kHeader = 12, kCommand = 12;
  const auto count = payload.u8(3);
  const bool has_checksum = payload.u8(2) == 0xcc;
  if (!is_within(count, 1, 64) || (payload.u8(2) > 1 && !has_checksum)) return false;
  std::size_t at = kHeader + (has_checksum ? 4 : 0);
  if (!payload.has(at, kCommand)) return false;
  for (unsigned i = 0; i < count && payload.has(at, kCommand); ++i) {
    const std::size_t size = payload.be32(at + 4);
    if (!is_within(payload.u8(at), 1, 16) || payload.u8(at + 2) > 7 || size < kCommand || size > payload.whole_size())
      return false;
    at += size;
  }
  return !payload.is_whole() || at == payload.whole_size();
}

struct Varint {
  std::size_t value = 0;
  std::size_t size = 0;  // 0: it is none
};
Varint read_varint(Octets bytes) noexcept {
  std::size_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    value |= std::size_t{bytes.u8(i) & 0x7fu} << 7 * i;
    if ((bytes.u8(i) & 0x80) == 0) return bytes.has(0, i + 1) ? Varint{value, i + 1} : Varint{};
  }
  return {};
}
// Size, packet 0, version, the server's name and port, what comes next.
Finding minecraft(Octets payload) noexcept {
  const auto size = read_varint(payload);
  const auto version = read_varint(payload.part(size.size + 1));
  const auto name_at = size.size + 1 + version.size;
  const auto name = read_varint(payload.part(name_at));
  const auto end = name_at + name.size + name.value;
  return size.size != 0 && payload.u8(size.size) == 0 && version.size != 0 && is_within(name.value, 1, 255) &&
         is_printable(payload.part(name_at + name.size, name.value)) && is_within(payload.u8(end + 2), 1, 3) &&
         end + 3 == size.size + size.value;
}

Finding warcraft3(Octets payload) noexcept {
  return is_stream_of(payload, 4, [](Octets message) -> std::size_t {
    return message.u8(0) == 0xf7 && message.u8(1) != 0 && is_within(message.le16(2), 4, message.whole_size())
               ? message.le16(2)
               : 0;
  });
}

Finding tes_online(Octets payload) noexcept {
  const std::size_t size = payload.be32(0);
  return size + 4 == payload.whole_size() && payload.be32(4) == 0x00010001 && payload.be32(8) + 8u == size;
}

// ENet's CONNECT and VERIFY_CONNECT (protocol.h of its library): behind peer, time and the command's header the numbers
// that the library keeps within bounds; the interval of its throttle is in milliseconds.
Finding enet(Octets payload) noexcept {
  constexpr std::size_t kConnect = 52, kVerify = 48;
  const bool is_connect = (payload.u8(4) & 0x0f) == 2;
  const auto numbers = payload.part(12);
  return payload.whole_size() == (is_connect ? kConnect : kVerify) && is_within(numbers.be32(0), 576, 4096) &&
         is_within(numbers.be32(4), 4096, 65'536) && is_within(numbers.be32(8), 1, 255) &&
         is_within(numbers.be32(20), 100, 60'000);
}

constexpr Named kGames[] = {
    {"enet", enet},     {"minecraft", minecraft},   {"photon", photon},
    {"raknet", raknet}, {"tes_online", tes_online}, {"warcraft3", warcraft3},
};

}  // namespace

Family games() noexcept { return kGames; }

}  // namespace foreflow::classify::validate
