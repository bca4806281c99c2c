// SPDX-License-Identifier: Apache-2.0
// The header parser against DPDK's rte_net_get_ptype() on the same frames: TCP and UDP over IPv4 and IPv6, VLAN-tagged
// or not. The peer only finds the headers, so what a flow table needs is taken from them beside it, as ours does.
#include "dataplane/net/parse.h"

#include <array>
#include <cstring>
#include <vector>

#include <rte_mbuf.h>
#include <rte_net.h>

#include "tests/bench/figures.h"

namespace foreflow {
namespace {

constexpr std::size_t kFrames = 256;
constexpr std::size_t kPasses = 400;
constexpr std::size_t kFrameSize = 128;

using Frame = std::array<std::uint8_t, kFrameSize>;

void put16(Frame& frame, std::size_t at, std::uint16_t value) {
  frame[at] = static_cast<std::uint8_t>(value >> 8);
  frame[at + 1] = static_cast<std::uint8_t>(value);
}

Frame make_frame(std::size_t i) {
  Frame frame{};
  frame[5] = static_cast<std::uint8_t>(i);
  frame[11] = 1;
  const bool tagged = i % 4 == 0, v6 = i % 3 == 0, udp = i % 2 == 0;
  std::size_t at = 12;
  if (tagged) {
    put16(frame, at, 0x8100);
    put16(frame, at + 2, 7);
    at += 4;
  }
  put16(frame, at, v6 ? 0x86dd : 0x0800);
  at += 2;
  const auto rest = static_cast<std::uint16_t>(kFrameSize - at);
  if (v6) {
    frame[at] = 0x60;
    put16(frame, at + 4, static_cast<std::uint16_t>(rest - 40));
    frame[at + 6] = udp ? net::kUdp : net::kTcp;
    frame[at + 7] = 64;
    frame[at + 39] = static_cast<std::uint8_t>(i);
    at += 40;
  } else {
    frame[at] = 0x45;
    put16(frame, at + 2, rest);
    frame[at + 8] = 64;
    frame[at + 9] = udp ? net::kUdp : net::kTcp;
    frame[at + 15] = static_cast<std::uint8_t>(i);
    at += 20;
  }
  put16(frame, at, static_cast<std::uint16_t>(1024 + i));
  put16(frame, at + 2, udp ? 53 : 443);
  if (udp) {
    put16(frame, at + 4, static_cast<std::uint16_t>(kFrameSize - at));
  } else {
    frame[at + 12] = 0x50;
  }
  return frame;
}

struct Endpoints {
  net::IpAddress source_ip, destination_ip;
  std::uint16_t source_port = 0, destination_port = 0;
};

Endpoints find_endpoints(rte_mbuf& mbuf) {
  rte_net_hdr_lens lengths{};
  const auto type = rte_net_get_ptype(&mbuf, &lengths, RTE_PTYPE_ALL_MASK);
  const auto* l3 = rte_pktmbuf_mtod_offset(&mbuf, const std::uint8_t*, lengths.l2_len);
  Endpoints found;
  if (RTE_ETH_IS_IPV4_HDR(type)) {
    std::memcpy(found.source_ip.bytes.data() + 12, l3 + 12, 4);
    std::memcpy(found.destination_ip.bytes.data() + 12, l3 + 16, 4);
  } else if (RTE_ETH_IS_IPV6_HDR(type)) {
    std::memcpy(found.source_ip.bytes.data(), l3 + 8, 16);
    std::memcpy(found.destination_ip.bytes.data(), l3 + 24, 16);
  }
  const auto* l4 = l3 + lengths.l3_len;
  found.source_port = static_cast<std::uint16_t>(l4[0] << 8 | l4[1]);
  found.destination_port = static_cast<std::uint16_t>(l4[2] << 8 | l4[3]);
  return found;
}

// An mbuf over memory of ours; nothing here needs a pool or EAL.
rte_mbuf wrap(Frame& frame) {
  rte_mbuf mbuf{};
  mbuf.buf_addr = frame.data();
  mbuf.buf_len = kFrameSize;
  mbuf.data_len = kFrameSize;
  mbuf.pkt_len = kFrameSize;
  mbuf.nb_segs = 1;
  return mbuf;
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  std::vector<Frame> frames;
  for (std::size_t i = 0; i < kFrames; ++i) frames.push_back(make_frame(i));
  std::vector<rte_mbuf> mbufs;
  for (auto& frame : frames) mbufs.push_back(wrap(frame));

  const auto ours = [&] {
    for (std::size_t pass = 0; pass < kPasses; ++pass)
      for (const auto& frame : frames) {
        net::Parsed parsed;
        bench::keep(net::parse(frame, kFrameSize, parsed));
        bench::keep(parsed);
      }
  };
  const auto theirs = [&] {
    for (std::size_t pass = 0; pass < kPasses; ++pass)
      for (auto& mbuf : mbufs) bench::keep(find_endpoints(mbuf));
  };
  const auto result = bench::duel(41, kPasses * kFrames, ours, theirs);
  return bench::report(argc, argv,
                       {{"header parser", result.subject.median, "ns/packet", "rte_net_get_ptype + copy",
                         result.peer.median, 1.0, result.subject.spread}});
}
