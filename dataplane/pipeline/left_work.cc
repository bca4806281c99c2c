// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/left_work.h"

#include <cstddef>
#include <cstring>

#include <rte_ip.h>

#include "dataplane/net/octets.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint64_t kBeyondUs = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_RX_LRO |
                                    RTE_MBUF_F_TX_OUTER_IP_CKSUM | RTE_MBUF_F_TX_OUTER_UDP_CKSUM;

bool has_partial_checksum(const rte_mbuf& packet) noexcept {
  return (packet.ol_flags & RTE_MBUF_F_TX_L4_MASK) != 0 ||
         (packet.ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
}

void put(std::uint8_t* to, std::uint16_t checksum) noexcept { std::memcpy(to, &checksum, sizeof checksum); }

// Where the transport's header begins, and how much it and its payload are. The headers before it have been parsed.
struct Transport {
  std::uint32_t at = 0;
  std::uint32_t size = 0;
};
Transport transport_of(const std::uint8_t* bytes, const net::Parsed& parsed) noexcept {
  constexpr std::uint8_t kAuthentication = 51;  // counts its size in other words than the rest
  const auto* ip = bytes + parsed.l3_offset;
  if (parsed.ip_version == 4) {
    const auto header = (ip[0] & 0xfu) * 4u;
    return {parsed.l3_offset + header, net::load_be16(ip + 2) - header};
  }
  const std::uint32_t end = parsed.l3_offset + 40u + net::load_be16(ip + 4);
  std::uint32_t at = parsed.l3_offset + 40u;
  for (auto next = ip[6]; next != parsed.ip_protocol && at < parsed.payload_offset;) {
    const auto words = bytes[at + 1];
    const auto size = next == kAuthentication ? (words + 2u) * 4u : (words + 1u) * 8u;
    next = bytes[at];
    at += size;
  }
  return {at, end - at};
}

// RFC 9293, 3.1; RFC 768; RFC 8200, 8.1.
bool complete_transport(rte_mbuf& packet, const net::Parsed& parsed) noexcept {
  auto* bytes = rte_pktmbuf_mtod(&packet, std::uint8_t*);
  const auto [at, size] = transport_of(bytes, parsed);
  if (at >= parsed.payload_offset || at + size > packet.pkt_len) return false;
  auto* field = bytes + at + (parsed.ip_protocol == net::kTcp ? 16 : 6);
  put(field, 0);
  std::uint16_t payload = 0;
  if (rte_raw_cksum_mbuf(&packet, at, size, &payload) != 0) return false;
  const bool is_v4 = parsed.ip_version == 4;
  const std::size_t skip = is_v4 ? 12 : 0;  // of an address that holds one of IPv4
  std::uint32_t sum = payload;
  sum += rte_raw_cksum(parsed.source_ip.bytes.data() + skip, 16 - skip);
  sum += rte_raw_cksum(parsed.destination_ip.bytes.data() + skip, 16 - skip);
  sum += rte_cpu_to_be_16(static_cast<std::uint16_t>(size)) + rte_cpu_to_be_16(parsed.ip_protocol);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  const auto checksum = static_cast<std::uint16_t>(~sum);
  put(field, checksum == 0 && parsed.ip_protocol == net::kUdp ? std::uint16_t{0xffff} : checksum);
  return true;
}

bool complete_ip(rte_mbuf& packet, const net::Parsed& parsed) noexcept {
  if (parsed.ip_version != 4) return false;
  auto* ip = rte_pktmbuf_mtod_offset(&packet, std::uint8_t*, parsed.l3_offset);
  put(ip + 10, 0);
  put(ip + 10, static_cast<std::uint16_t>(~rte_raw_cksum(ip, (ip[0] & 0xfu) * 4u)));
  return true;
}

}  // namespace

bool do_left_work(rte_mbuf& packet, const net::Parsed& parsed) noexcept {
  if ((packet.ol_flags & kBeyondUs) != 0) return false;
  if (has_partial_checksum(packet)) {
    const bool is_known = parsed.ip_protocol == net::kTcp || parsed.ip_protocol == net::kUdp;
    if (!is_known || parsed.fragment || !complete_transport(packet, parsed)) return false;
  }
  if ((packet.ol_flags & RTE_MBUF_F_TX_IP_CKSUM) != 0 && !complete_ip(packet, parsed)) return false;
  packet.ol_flags &= ~(kMaybeLeft | RTE_MBUF_F_RX_L4_CKSUM_MASK);
  return true;
}

}  // namespace foreflow::pipeline
