// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/inner.h"

#include <gtest/gtest.h>
#include <pcap/dlt.h>

#include "tests/unit/dataplane/frames.h"

namespace foreflow::offline {
namespace {

using namespace foreflow::testing;  // NOLINT: builders of bytes

constexpr std::uint8_t kGre = 47;
constexpr std::uint16_t kVxlan = 4789, kGeneve = 6081, kGtpUser = 2152;

Frame inner_packet() { return ipv4({net::kUdp, {}, 0}, udp(1'000, 53, Frame{'a', 'b'})); }
Frame inner_ethernet() { return ethernet(0x0800, inner_packet()); }
Frame in_udp(std::uint16_t port, const Frame& payload) {
  return ethernet(0x0800, ipv4({net::kUdp, {}, 0}, udp(55'000, port, payload)));
}
Frame in_ip(std::uint8_t protocol, const Frame& payload) { return ethernet(0x0800, ipv4({protocol, {}, 0}, payload)); }
Frame in_vxlan(const Frame& frame) { return Frame{8, 0, 0, 0, 0, 0, 7, 0} + frame; }

// The destination port of what is inside in the end.
std::uint16_t port_inside(const Frame& frame) {
  Dissected packet;
  EXPECT_TRUE(dissect(DLT_EN10MB, frame, frame.size(), packet));
  enter_tunnels(packet);
  return packet.headers.destination_port;
}

TEST(Inner, EachTunnelShowsThePacketThatItCarries) {
  EXPECT_EQ(port_inside(in_udp(kVxlan, in_vxlan(inner_ethernet()))), 53);
  EXPECT_EQ(port_inside(in_udp(kGeneve, Frame{0, 0, 0x65, 0x58, 0, 0, 7, 0} + inner_ethernet())), 53);
  EXPECT_EQ(port_inside(in_udp(kGeneve, Frame{1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 0} + inner_ethernet())), 53)
      << "an option";
  EXPECT_EQ(port_inside(in_ip(kGre, Frame{0, 0, 8, 0} + inner_packet())), 53);
  EXPECT_EQ(port_inside(in_ip(kGre, Frame{0x30, 0, 0x65, 0x58, 0, 0, 0, 1, 0, 0, 0, 2} + inner_ethernet())), 53)
      << "key and sequence number";
  EXPECT_EQ(port_inside(in_udp(kGtpUser, Frame{0x30, 255, 0, 30, 0, 0, 0, 1} + inner_packet())), 53);
  EXPECT_EQ(
      port_inside(in_udp(kGtpUser, Frame{0x34, 255, 0, 38, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0} + inner_packet())),
      53)
      << "an extension header";
}

TEST(Inner, ATunnelInATunnelIsEnteredToo) {
  EXPECT_EQ(port_inside(in_udp(kVxlan, in_vxlan(in_ip(kGre, Frame{0, 0, 8, 0} + inner_packet())))), 53);
}

TEST(Inner, WhatOnlyUsesTheNumbersOfATunnelStaysAsItIs) {
  EXPECT_EQ(port_inside(in_udp(kVxlan, Frame{1, 2, 3, 4, 5, 6, 7, 8} + inner_ethernet())), kVxlan);
  EXPECT_EQ(port_inside(in_udp(kGtpUser, Frame{0x30, 1, 0, 30, 0, 0, 0, 1} + inner_packet())), kGtpUser) << "an echo";
  EXPECT_EQ(port_inside(in_udp(kGeneve, Frame{0, 0, 0x88, 0x47, 0, 0, 7, 0} + inner_packet())), kGeneve);
  EXPECT_EQ(port_inside(in_udp(53, in_vxlan(inner_ethernet()))), 53);
}

TEST(Inner, AnyPrefixOfATunnelIsReadWithinItsBounds) {
  for (const auto& whole :
       {in_udp(kVxlan, in_vxlan(inner_ethernet())),
        in_udp(kGtpUser, Frame{0x34, 255, 0, 38, 0, 0, 0, 1, 0, 0, 0, 0x85, 1, 0, 9, 0} + inner_packet())})
    for (std::size_t size = 0; size <= whole.size(); ++size) {
      const Frame prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      Dissected packet;
      if (!dissect(DLT_EN10MB, prefix, whole.size(), packet)) continue;
      enter_tunnels(packet);
      EXPECT_LE(packet.payload.size(), prefix.size());
    }
}

}  // namespace
}  // namespace foreflow::offline
