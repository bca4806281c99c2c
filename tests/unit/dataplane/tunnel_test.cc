// SPDX-License-Identifier: Apache-2.0
#include "dataplane/net/tunnel.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace foreflow::net {
namespace {

constexpr MacAddress kOurs{{0x02, 0, 0, 0, 0, 1}};
constexpr MacAddress kTheirs{{0x02, 0, 0, 0, 0, 2}};
constexpr Ipv4Address kLocal{{192, 0, 2, 1}};
constexpr Ipv4Address kRemote{{192, 0, 2, 2}};

using Bytes = std::vector<std::uint8_t>;

TunnelEnd end_of(wire::TunnelKind kind, Ipv4Address local = kLocal) {
  return {kind, local, kOurs, kTheirs, static_cast<std::uint16_t>(kind == wire::TunnelKind::kVxlan ? 4789 : 6081)};
}

Bytes encapsulated(const TunnelEnd& end, std::uint32_t vni, std::size_t inner_size = 60) {
  Bytes frame(kOuterSize + inner_size);
  write_outer(std::span(frame).first<kOuterSize>(), end, kRemote, vni, inner_size, 7);
  return frame;
}

struct Found {
  TunnelStatus status;
  Inner inner;
};
Found find(const TunnelEnd& end, const Bytes& frame) {
  Parsed parsed;
  EXPECT_EQ(parse(frame, static_cast<std::uint32_t>(frame.size()), parsed), ParseStatus::kOk);
  Found found{};
  found.status = find_inner(end, parsed, frame, found.inner);
  return found;
}

class Tunnel : public testing::TestWithParam<wire::TunnelKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Tunnel, testing::Values(wire::TunnelKind::kVxlan, wire::TunnelKind::kGeneve));

TEST_P(Tunnel, TheOtherEndFindsTheInnerFrame) {
  const auto frame = encapsulated(end_of(GetParam()), 0xabcdef);
  const auto found = find(end_of(GetParam(), kRemote), frame);
  ASSERT_EQ(found.status, TunnelStatus::kInner);
  EXPECT_EQ(found.inner.vni, 0xabcdefu);
  EXPECT_EQ(found.inner.from, kLocal);
  EXPECT_EQ(found.inner.offset, kOuterSize);
}

TEST_P(Tunnel, ItsIpHeaderHasAValidChecksum) {
  const auto frame = encapsulated(end_of(GetParam()), 5);
  std::uint32_t sum = 0;
  for (std::size_t at = 14; at < 34; at += 2) sum += static_cast<std::uint32_t>(frame[at] << 8 | frame[at + 1]);
  EXPECT_EQ((sum & 0xffff) + (sum >> 16), 0xffffu);
}

TEST_P(Tunnel, FramesForAnotherAddressOrPortAreNotItsOwn) {
  const auto frame = encapsulated(end_of(GetParam()), 5);
  EXPECT_EQ(find(end_of(GetParam()), frame).status, TunnelStatus::kNone);
  auto end = end_of(GetParam(), kRemote);
  ++end.udp_port;
  EXPECT_EQ(find(end, frame).status, TunnelStatus::kNone);
}

TEST_P(Tunnel, AHeaderThatIsNotItsKindIsMalformed) {
  auto frame = encapsulated(end_of(GetParam()), 5);
  frame[42] = 0xc0;  // neither a valid VNI nor version 0
  EXPECT_EQ(find(end_of(GetParam(), kRemote), frame).status, TunnelStatus::kMalformed);
}

TEST_P(Tunnel, ACutOffHeaderIsMalformed) {
  EXPECT_EQ(find(end_of(GetParam(), kRemote),
                 [] {
                   auto frame = encapsulated(end_of(GetParam()), 5, 0);
                   frame.resize(46);
                   frame[17] = 32;  // IP length
                   frame[39] = 12;  // UDP length
                   return frame;
                 }())
                .status,
            TunnelStatus::kMalformed);
}

TEST(Geneve, OptionsAreSkippedUnlessTheyMustBeUnderstood) {
  auto frame = encapsulated(end_of(wire::TunnelKind::kGeneve), 5, 68);
  frame[42] = 2;  // two words
  const auto end = end_of(wire::TunnelKind::kGeneve, kRemote);
  const auto found = find(end, frame);
  ASSERT_EQ(found.status, TunnelStatus::kInner);
  EXPECT_EQ(found.inner.offset, kOuterSize + 8);
  frame[43] = 0x40;
  EXPECT_EQ(find(end, frame).status, TunnelStatus::kMalformed);
  frame[43] = 0;
  frame[42] = 0x3f;  // more options than frame
  EXPECT_EQ(find(end, frame).status, TunnelStatus::kMalformed);
}

TEST(Arp, ARequestForTheTunnelsAddressIsAnswered) {
  Bytes frame(60);
  const Bytes start{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0,   0, 0, 0, 2, 8, 6, 0, 1, 8, 0,   6, 4, 0,
                    1,    2,    0,    0,    0,    0,    2, 192, 0, 2, 2, 0, 0, 0, 0, 0, 0, 192, 0, 2, 1};
  std::copy(start.begin(), start.end(), frame.begin());
  auto other = frame;
  other[41] = 9;
  EXPECT_FALSE(answer_arp(other, end_of(wire::TunnelKind::kVxlan)));
  ASSERT_TRUE(answer_arp(frame, end_of(wire::TunnelKind::kVxlan)));
  const Bytes answer{2, 0, 0, 0, 0, 2, 2, 0,   0, 0, 0, 1, 8, 6, 0, 1, 8, 0,   6, 4, 0,
                     2, 2, 0, 0, 0, 0, 1, 192, 0, 2, 1, 2, 0, 0, 0, 0, 2, 192, 0, 2, 2};
  EXPECT_TRUE(std::equal(answer.begin(), answer.end(), frame.begin()));
  EXPECT_FALSE(answer_arp(frame, end_of(wire::TunnelKind::kVxlan)));  // an answer is not answered
}

}  // namespace
}  // namespace foreflow::net
