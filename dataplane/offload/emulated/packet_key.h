// SPDX-License-Identifier: Apache-2.0
// What rules match of a packet, as words that a mask selects from.
// Place: dataplane/offload/emulated.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include <rte_mbuf.h>

namespace foreflow::offload::emulated {

// Fields hold host-order numbers. Protocol = EtherType behind the VLAN tags. An IPv4 address stands in the last four of
// 16 octets. Ports and flags are those of TCP and UDP in the first or only piece of a datagram. Metadata is
// what rules wrote, 16 bits of it.
struct PacketKey {
  std::array<std::uint64_t, 8> words{};

  bool operator==(const PacketKey&) const = default;
  void set_port(std::uint64_t port) { words[0] |= port << 48; }
  void set_destination(std::uint64_t mac) { words[0] |= mac; }
  void set_source(std::uint64_t mac) { words[1] |= mac; }
  void set_protocol(std::uint64_t type) { words[1] |= type << 48; }
  void set_tag_control(std::uint64_t tci) { words[2] |= tci; }
  void set_tagged(std::uint64_t yes) { words[2] |= yes << 16; }
  void set_outer_type(std::uint64_t type) { words[3] |= type; }
  void set_transport(std::uint64_t protocol) { words[2] |= protocol << 24; }
  void set_tcp_flags(std::uint64_t flags) { words[2] |= flags << 32; }
  void set_fragment(std::uint64_t yes) { words[2] |= yes << 40; }
  void set_source_port(std::uint64_t port) { words[3] |= port << 16; }
  void set_destination_port(std::uint64_t port) { words[3] |= port << 32; }
  void set_metadata(std::uint64_t meta) { words[3] |= meta << 48; }
  std::uint32_t metadata() const { return static_cast<std::uint32_t>(words[3] >> 48); }
  void change_metadata(std::uint64_t bits, std::uint64_t mask) { words[3] = (words[3] & ~(mask << 48)) | bits << 48; }
  void set_source_ip(std::uint64_t high, std::uint64_t low) { words[4] |= high, words[5] |= low; }
  void set_destination_ip(std::uint64_t high, std::uint64_t low) { words[6] |= high, words[7] |= low; }

  bool has_port() const { return (words[0] >> 48) != 0; }
  PacketKey masked(const PacketKey& mask) const {
    PacketKey result;
    for (std::size_t i = 0; i < words.size(); ++i) result.words[i] = words[i] & mask.words[i];
    return result;
  }
};

struct PacketKeyHash {
  std::size_t operator()(const PacketKey& key) const noexcept {
    std::uint64_t hash = 0;
    for (const auto word : key.words) {
      hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

// Six octets as a number, first octet highest.
inline std::uint64_t mac_number(const std::uint8_t* octets) {
  std::uint64_t number = 0;
  for (int i = 0; i < 6; ++i) number = number << 8 | octets[i];
  return number;
}

inline std::uint64_t read64(const std::uint8_t* bytes) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8; ++i) number = number << 8 | bytes[i];
  return number;
}

// A frame too short for an Ethernet header has its port only. A tag that the port stripped still counts.
PacketKey key_of(std::uint16_t port_id, const rte_mbuf& packet);

// L2 bytes without FCS, as they were on the wire.
std::uint32_t wire_size(const rte_mbuf& packet);

}  // namespace foreflow::offload::emulated
