// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/parse.h"

#include <algorithm>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "tests/unit/dataplane/frames.h"

namespace foreflow::net {
namespace {

using namespace foreflow::testing;  // NOLINT: builders of bytes

// Exactly as large as the frame, so that AddressSanitizer sees a read past it.
ParseStatus parse_frame(const Frame& frame, Parsed& out) {
  const auto exact = std::make_unique<std::uint8_t[]>(frame.size());
  std::copy(frame.begin(), frame.end(), exact.get());
  return parse({exact.get(), frame.size()}, static_cast<std::uint32_t>(frame.size()), out);
}

Parsed parsed(const Frame& frame) {
  Parsed out;
  EXPECT_EQ(parse_frame(frame, out), ParseStatus::kOk);
  return out;
}

bool malformed(const Frame& frame) {
  Parsed out;
  return parse_frame(frame, out) == ParseStatus::kMalformed;
}

const Frame kHello = text("hello");

TEST(Parse, ReadsUdpOverIpv4) {
  const auto out = parsed(ethernet(0x0800, ipv4({}, udp(1000, 53, kHello))));
  EXPECT_EQ(to_string(out.destination), "52:54:00:00:00:02");
  EXPECT_EQ(to_string(out.source), "52:54:00:00:00:01");
  EXPECT_EQ(out.segment, Segment{0});
  EXPECT_EQ(out.l3_offset, 14);
  EXPECT_EQ(out.ip_version, 4);
  EXPECT_EQ(out.ip_protocol, kUdp);
  EXPECT_EQ(out.source_ip.bytes, (std::array<std::uint8_t, 16>{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1}));
  EXPECT_EQ(out.destination_ip.bytes[15], 2);
  EXPECT_EQ(out.source_port, 1000);
  EXPECT_EQ(out.destination_port, 53);
  EXPECT_EQ(out.payload_offset, 42);
  EXPECT_EQ(out.payload_size, 5);
}

TEST(Parse, SkipsIpv4AndTcpOptions) {
  const auto out = parsed(ethernet(0x0800, ipv4({6, zeros(8)}, tcp(1000, 80, 0x18, kHello, zeros(12)))));
  EXPECT_EQ(out.tcp_flags, 0x18);
  EXPECT_EQ(out.payload_offset, 14 + 28 + 32);
  EXPECT_EQ(out.payload_size, 5);
}

TEST(Parse, PaddingOfAShortFrameIsNoPayload) {
  const auto out = parsed(ethernet(0x0800, ipv4({6}, tcp(1, 2, 0x02, {}))) + zeros(6));
  EXPECT_EQ(out.payload_size, 0);
}

TEST(Parse, TakesTheOuterVlanAsSegment) {
  const auto inside = ipv4({}, udp(1, 2, kHello));
  EXPECT_EQ(parsed(ethernet(0x8100, vlan(100, 0x0800, inside))).segment, Segment{100});
  const auto stacked = parsed(ethernet(0x88a8, vlan(200, 0x8100, vlan(100, 0x0800, inside))));
  EXPECT_EQ(stacked.segment, Segment{200});
  EXPECT_EQ(stacked.ether_type, 0x0800);
  EXPECT_EQ(stacked.l3_offset, 22);
  EXPECT_EQ(stacked.payload_size, 5);
  EXPECT_EQ(parsed(ethernet(0x8100, vlan(0xe000, 0x0800, inside))).segment, Segment{0}) << "priority tag";
  EXPECT_TRUE(malformed(ethernet(0x8100, vlan(0xfff, 0x0800, inside))));
}

TEST(Parse, ReadsUdpBehindIpv6ExtensionHeaders) {
  const auto hop_by_hop = Frame{60, 0} + zeros(6);
  const auto destination_options = Frame{17, 1} + zeros(14);
  const auto out = parsed(ethernet(0x86dd, ipv6(0, hop_by_hop + destination_options + udp(5, 6, kHello))));
  EXPECT_EQ(out.ip_version, 6);
  EXPECT_EQ(out.ip_protocol, kUdp);
  EXPECT_EQ(out.source_ip.bytes[0], 0xfd);
  EXPECT_EQ(out.destination_ip.bytes[15], 2);
  EXPECT_EQ(out.destination_port, 6);
  EXPECT_EQ(out.payload_offset, 14 + 40 + 8 + 16 + 8);
  EXPECT_EQ(out.payload_size, 5);
}

TEST(Parse, AllFragmentsOfOneDatagramLookAlike) {
  const auto first4 = parsed(ethernet(0x0800, ipv4({17, {}, 0x2000}, udp(1000, 53, zeros(8)))));
  const auto later4 = parsed(ethernet(0x0800, ipv4({17, {}, 2}, zeros(3))));
  const auto first6 = parsed(ethernet(0x86dd, ipv6(44, Frame{17, 0, 0, 1} + be32(7) + udp(1000, 53, zeros(8)))));
  const auto later6 = parsed(ethernet(0x86dd, ipv6(44, Frame{17, 0, 0, 16} + be32(7) + zeros(3))));
  for (const auto& fragment : {first4, later4, first6, later6}) {
    EXPECT_TRUE(fragment.fragment);
    EXPECT_EQ(fragment.ip_protocol, kUdp);
    EXPECT_EQ(fragment.source_port, 0);
    EXPECT_EQ(fragment.destination_port, 0);
    EXPECT_EQ(fragment.payload_size, 0);
  }
}

TEST(Parse, AnAtomicFragmentIsAWholeDatagram) {
  const auto out = parsed(ethernet(0x86dd, ipv6(44, Frame{17, 0, 0, 0} + be32(7) + udp(1000, 53, kHello))));
  EXPECT_FALSE(out.fragment);
  EXPECT_EQ(out.destination_port, 53);
}

TEST(Parse, DontFragmentIsNoFragment) {
  EXPECT_FALSE(parsed(ethernet(0x0800, ipv4({17, {}, 0x4000}, udp(1, 2, kHello)))).fragment);
}

TEST(Parse, FramesThatAreNotIpAreFine) {
  EXPECT_EQ(parsed(ethernet(0x0806, zeros(28))).ip_version, 0) << "ARP";
  EXPECT_EQ(parsed(ethernet(0x0026, zeros(38))).ip_version, 0) << "802.3 length: spanning tree";
}

TEST(Parse, IcmpHasNoPorts) {
  const auto out = parsed(ethernet(0x0800, ipv4({1}, Frame{8, 0, 0, 0, 0, 1, 0, 1} + kHello)));
  EXPECT_EQ(out.ip_protocol, 1);
  EXPECT_EQ(out.source_port, 0);
  EXPECT_EQ(out.payload_size, 5);
}

TEST(Parse, LengthsThatContradictTheFrameAreMalformed) {
  auto frame = ethernet(0x0800, ipv4({}, udp(1, 2, kHello)));
  const auto with = [&frame](std::size_t at, std::uint8_t value) {
    auto copy = frame;
    copy[at] = value;
    return copy;
  };
  ASSERT_FALSE(malformed(frame));
  EXPECT_TRUE(malformed(with(14, 0x55))) << "version";
  EXPECT_TRUE(malformed(with(14, 0x44))) << "header shorter than 20 bytes";
  EXPECT_TRUE(malformed(with(14, 0x4f))) << "header longer than the packet";
  EXPECT_TRUE(malformed(with(17, 19))) << "total length shorter than the header";
  EXPECT_TRUE(malformed(with(17, 34))) << "total length beyond the frame";
  EXPECT_TRUE(malformed(with(39, 7))) << "UDP length shorter than its header";
  EXPECT_TRUE(malformed(with(39, 14))) << "UDP length beyond the IP length";
  auto six = ethernet(0x86dd, ipv6(17, udp(1, 2, kHello)));
  six[19] = 14;
  EXPECT_TRUE(malformed(six)) << "IPv6 payload length beyond the frame";
}

TEST(Parse, EveryCutOffFrameIsMalformed) {
  const auto udp4 = ethernet(0x0800, ipv4({}, udp(1, 2, kHello)));
  const auto tcp6 = ethernet(0x8100, vlan(5, 0x86dd, ipv6(60, Frame{6, 0} + zeros(6) + tcp(1, 2, 0, kHello))));
  for (const auto& whole : {udp4, tcp6})
    for (std::size_t size = 0; size < whole.size(); ++size)
      EXPECT_TRUE(malformed(Frame(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)))) << size;
}

TEST(Parse, APayloadThatIsNotAllPresentIsClipped) {
  const auto frame = ethernet(0x0800, ipv4({}, udp(1, 2, zeros(100))));
  Parsed out;
  ASSERT_EQ(parse(std::span(frame).first(50), static_cast<std::uint32_t>(frame.size()), out), ParseStatus::kOk);
  EXPECT_EQ(out.payload_size, 8);
}

TEST(Parse, EndlessTagsAndExtensionHeadersAreRefused) {
  Frame tags;
  for (int i = 0; i < 5; ++i) tags += vlan(1, 0x8100, {});
  EXPECT_TRUE(malformed(ethernet(0x8100, tags + zeros(40))));
  Frame headers;
  for (int i = 0; i < 9; ++i) headers += Frame{60, 0} + zeros(6);
  EXPECT_TRUE(malformed(ethernet(0x86dd, ipv6(60, headers + zeros(40)))));
}

TEST(Parse, TheShortWayAgreesWithTheLongOne) {
  std::mt19937 random(2);
  const std::vector<Frame> seeds{ethernet(0x0800, ipv4({6}, tcp(1, 2, 0x18, kHello, zeros(12)))),
                                 ethernet(0x0800, ipv4({17}, udp(1, 2, kHello))),
                                 ethernet(0x0800, ipv4({6}, tcp(1, 2, 0x02, {}))),
                                 ethernet(0x8100, vlan(5, 0x0800, ipv4({17}, udp(1, 2, kHello)))),
                                 ethernet(0x8100, vlan(5, 0x86dd, ipv6(6, tcp(1, 2, 0x10, kHello)))),
                                 ethernet(0x86dd, ipv6(17, udp(1000, 53, zeros(8)))),
                                 ethernet(0x86dd, ipv6(60, Frame{17, 0} + zeros(6) + udp(1, 2, kHello)))};
  int accepted = 0;
  int usual = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto frame = seeds[random() % seeds.size()];
    for (auto changes = random() % 3; changes > 0; --changes)
      frame[random() % std::min<std::size_t>(frame.size(), 80)] = static_cast<std::uint8_t>(random());
    frame.resize(random() % 4 == 0 ? random() % (frame.size() + 20) : frame.size());
    const auto size = static_cast<std::uint32_t>(frame.size() + random() % 2 * 10);
    Parsed ours, reference;
    const auto status = parse(frame, size, ours);
    ASSERT_EQ(status, parse_by_steps(frame, size, reference));
    ASSERT_EQ(ours, reference) << "frame " << i;
    Parsed link;
    ASSERT_EQ(status, parse_link(frame, size, link));
    if (is_usual_unicast(frame, size)) {
      ++usual;
      EXPECT_EQ(status, ParseStatus::kOk);
      EXPECT_EQ(ours.segment, Segment{0});
      EXPECT_FALSE(ours.destination.is_multicast());
    }
    if (status == ParseStatus::kOk) {
      ++accepted;
      EXPECT_EQ(link.destination, ours.destination);
      EXPECT_EQ(link.source, ours.source);
      EXPECT_EQ(link.segment, ours.segment);
    }
  }
  EXPECT_GT(accepted, 10'000);
  EXPECT_GT(usual, 10'000);
}

TEST(Parse, WhateverComesThePayloadIsInsideTheFrame) {
  std::mt19937 random(1);
  const std::vector<Frame> seeds{
      ethernet(0x0800, ipv4({6, zeros(8)}, tcp(1, 2, 0x18, kHello, zeros(12)))),
      ethernet(0x8100, vlan(5, 0x86dd, ipv6(60, Frame{17, 0} + zeros(6) + udp(1, 2, kHello)))),
      ethernet(0x86dd, ipv6(44, Frame{17, 0, 0, 1} + be32(7) + udp(1000, 53, zeros(8))))};
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto frame = seeds[random() % seeds.size()];
    for (auto changes = random() % 6; changes > 0; --changes)
      frame[random() % frame.size()] = static_cast<std::uint8_t>(random());
    frame.resize(random() % 4 == 0 ? random() % (frame.size() + 20) : frame.size());
    Parsed out;
    if (parse_frame(frame, out) == ParseStatus::kMalformed) continue;
    ++accepted;
    ASSERT_LE(std::size_t{out.payload_offset} + out.payload_size, frame.size());
  }
  EXPECT_GT(accepted, 1'000);
}

}  // namespace
}  // namespace foreflow::net
