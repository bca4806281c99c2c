// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/rewrite.h"

#include <rte_ether.h>

namespace foreflow::offload::emulated {
namespace {

std::uint32_t read16(const std::uint8_t* at) { return std::uint32_t{at[0]} << 8 | at[1]; }

void write16(std::uint8_t* at, std::uint32_t value) {
  at[0] = static_cast<std::uint8_t>(value >> 8);
  at[1] = static_cast<std::uint8_t>(value);
}

// RFC 1624, equation 3: HC' = ~(~HC + ~m + m').
void change_word(std::uint8_t* word, std::uint32_t value, std::uint8_t* checksum) {
  auto sum = (~read16(checksum) & 0xffffu) + (~read16(word) & 0xffffu) + value;
  sum = (sum & 0xffffu) + (sum >> 16);
  sum = (sum & 0xffffu) + (sum >> 16);
  write16(word, value);
  write16(checksum, ~sum & 0xffffu);
}

}  // namespace

void write_dscp(rte_mbuf& packet, std::uint8_t dscp) {
  constexpr std::uint32_t kIpv4Header = 20;
  auto* bytes = rte_pktmbuf_mtod(&packet, std::uint8_t*);
  std::uint32_t at = 2 * RTE_ETHER_ADDR_LEN;
  const std::uint32_t size = packet.data_len;
  const auto has = [&](std::uint32_t count) { return at + count <= size; };
  while (has(4) && (read16(bytes + at) == RTE_ETHER_TYPE_VLAN || read16(bytes + at) == RTE_ETHER_TYPE_QINQ)) at += 4;
  if (!has(2 + kIpv4Header)) return;
  const auto type = read16(bytes + at);
  auto* ip = bytes + at + 2;
  if (type == RTE_ETHER_TYPE_IPV4)
    change_word(ip, std::uint32_t{ip[0]} << 8 | std::uint32_t{dscp} << 2 | (ip[1] & 3u), ip + 10);
  else if (type == RTE_ETHER_TYPE_IPV6)
    write16(ip, (read16(ip) & 0xf03fu) | std::uint32_t{dscp} << 6);
}

}  // namespace foreflow::offload::emulated
