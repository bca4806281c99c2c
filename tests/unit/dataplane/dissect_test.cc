// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/dissect.h"

#include <vector>

#include <gtest/gtest.h>
#include <pcap/dlt.h>

namespace foreflow::offline {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes joined(const Bytes& a, const Bytes& b) {
  Bytes all = a;
  all.insert(all.end(), b.begin(), b.end());
  return all;
}

// 10.0.0.1:1000 -> 10.0.0.2:53, payload 'abcd'. `total`: what the IP header states.
Bytes udp_over_ipv4(std::uint8_t total = 32, std::uint16_t fragment = 0) {
  return {0x45,
          0,
          0,
          total,
          0,
          0,
          static_cast<std::uint8_t>(fragment >> 8),
          static_cast<std::uint8_t>(fragment),
          64,
          17,
          0,
          0,
          10,
          0,
          0,
          1,
          10,
          0,
          0,
          2,
          0x03,
          0xe8,
          0,
          53,
          0,
          12,
          0,
          0,
          'a',
          'b',
          'c',
          'd'};
}

Bytes ethernet(std::uint8_t high, std::uint8_t low) { return joined(Bytes(12), {high, low}); }

void expect_the_datagram(int link_type, const Bytes& frame) {
  Dissected packet;
  ASSERT_TRUE(dissect(link_type, frame, frame.size(), packet));
  EXPECT_EQ(packet.headers.ip_protocol, net::kUdp);
  EXPECT_EQ(packet.headers.source_port, 1000);
  EXPECT_EQ(packet.headers.destination_port, 53);
  EXPECT_EQ(packet.payload.text(), "abcd");
}

TEST(Dissect, FindsADatagramBehindEveryLinkLayer) {
  const auto ip = udp_over_ipv4();
  expect_the_datagram(DLT_EN10MB, joined(ethernet(0x08, 0x00), ip));
  expect_the_datagram(DLT_NULL, joined({2, 0, 0, 0}, ip));
  expect_the_datagram(DLT_LOOP, joined({0, 0, 0, 2}, ip));
  expect_the_datagram(DLT_RAW, ip);
  expect_the_datagram(DLT_IPV4, ip);
  expect_the_datagram(DLT_PPP, joined({0x00, 0x21}, ip));
  expect_the_datagram(DLT_PPP, joined({0xff, 0x03, 0x21}, ip));
  expect_the_datagram(DLT_C_HDLC, joined({0x0f, 0x00, 0x08, 0x00}, ip));
  expect_the_datagram(DLT_LINUX_SLL, joined(joined(Bytes(14), {0x08, 0x00}), ip));
  expect_the_datagram(DLT_LINUX_SLL2, joined(joined({0x08, 0x00}, Bytes(18)), ip));
}

TEST(Dissect, TakesOffTagsLabelsAndPppoe) {
  const auto ip = udp_over_ipv4();
  expect_the_datagram(DLT_EN10MB, joined(joined(ethernet(0x88, 0xa8), {0, 1, 0x81, 0, 0, 2, 0x08, 0x00}), ip));
  expect_the_datagram(DLT_EN10MB, joined(joined(ethernet(0x88, 0x47), {0, 0, 0x10, 64, 0, 0, 0x21, 64}), ip));
  expect_the_datagram(DLT_EN10MB, joined(joined(ethernet(0x88, 0x64), {0x11, 0, 0, 1, 0, 34, 0x00, 0x21}), ip));
}

TEST(Dissect, APacketThatStatesNoLengthGoesToTheEndOfItsFrame) { expect_the_datagram(DLT_RAW, udp_over_ipv4(0)); }

TEST(Dissect, ThePayloadRemembersWhatTheSnapLengthCut) {
  auto ip = udp_over_ipv4();
  const auto size = ip.size();
  ip.resize(size - 3);
  Dissected packet;
  ASSERT_TRUE(dissect(DLT_RAW, ip, size, packet));
  EXPECT_EQ(packet.payload.text(), "a");
  EXPECT_EQ(packet.payload.whole_size(), 4u);
}

TEST(Dissect, AFirstFragmentHasPortsAndALaterOneIsNoFlow) {
  Dissected packet;
  const auto first = udp_over_ipv4(32, 0x2000);
  EXPECT_TRUE(dissect(DLT_RAW, first, first.size(), packet));
  EXPECT_EQ(packet.headers.destination_port, 53);
  const auto later = udp_over_ipv4(32, 0x2001);
  EXPECT_FALSE(dissect(DLT_RAW, later, later.size(), packet));
}

TEST(Dissect, AFirstFragmentsPayloadIsAsLargeAsItsDatagram) {
  auto frame = udp_over_ipv4(32, 0x2000);
  frame[24] = 5, frame[25] = 0xdc;  // 1500 bytes with the UDP header
  Dissected packet;
  ASSERT_TRUE(dissect(DLT_RAW, frame, frame.size(), packet));
  EXPECT_EQ(packet.payload.size(), 4u);
  EXPECT_EQ(packet.payload.whole_size(), 1'492u);
  frame[6] = 0;  // no fragment: the length lies
  ASSERT_TRUE(dissect(DLT_RAW, frame, frame.size(), packet));
  EXPECT_EQ(packet.payload.whole_size(), 4u);
}

TEST(Dissect, WalksExtensionHeadersOfIpv6) {
  Bytes frame{0x60, 0, 0, 0, 0, 20, 0, 64};
  frame.resize(40);
  const Bytes rest{17, 0, 0, 0, 0, 0, 0, 0, 0x03, 0xe8, 0, 53, 0, 12, 0, 0, 'a', 'b', 'c', 'd'};
  expect_the_datagram(DLT_IPV6, joined(frame, rest));
}

TEST(Dissect, AnyPrefixOfAFrameIsReadWithinItsBounds) {
  const auto frame = joined(ethernet(0x08, 0x00), udp_over_ipv4());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    const Bytes prefix(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size));
    Dissected packet;
    EXPECT_EQ(dissect(DLT_EN10MB, prefix, prefix.size(), packet), size >= 34) << size;
    EXPECT_LE(packet.payload.size(), 4u + 8u);
  }
}

}  // namespace
}  // namespace foreflow::offline
