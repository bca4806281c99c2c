// SPDX-License-Identifier: Apache-2.0
// What guests leave to their device: checksums are completed before a packet goes on, anything else is a named drop.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rte_ip.h>

#include "tests/contract/pipeline/testbed.h"
#include "tests/unit/dataplane/frames.h"

namespace foreflow::pipeline {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::DropCause;

constexpr VmId kSender{1};

// Flows that can be followed: without, most packets take a shorter way.
class LeftWork : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  LeftWork() : bed_(1, {{"a"}, {"b"}, {"uplink", config::PortRole::kUplink}}, {}, nullptr, {}, GetParam()) {
    wire::DesiredState desired;
    desired.generation = Generation{1};
    desired.vms = {{kSender, "a", {{"a", mac(1), Segment{0}}}}, {VmId{2}, "b", {{"b", mac(2), Segment{0}}}}};
    bed_.apply(desired);
    bed_.report();
  }
  std::vector<FrameBytes> through(const FrameBytes& frame, std::uint64_t flags, std::size_t piece = Testbed::kWhole) {
    bed_.put("a", 0, frame, piece, flags);
    bed_.run();
    return bed_.sent("b");
  }
  std::uint64_t dropped(DropCause cause) {
    const auto report = bed_.report();
    EXPECT_EQ(report.dataplane.rx_packets, report.dataplane.tx_packets + sum(report.dataplane.drops));
    EXPECT_EQ(bed_.in_use(), 0u);
    return sample_of(report, kSender).directions[index(Direction::kEgress)].drops[wire::index(cause)];
  }
  // From here on the transport's sum, with the pseudo header, is all ones (RFC 1071).
  static bool is_correct(const FrameBytes& frame, std::size_t at, std::size_t pseudo_at, std::size_t addresses) {
    std::uint32_t sum = static_cast<std::uint32_t>(frame.size() - at) + 17;
    const auto add = [&](std::size_t from, std::size_t end) {
      for (; from < end; from += 2)
        sum += static_cast<std::uint32_t>(frame[from] << 8 | (from + 1 < end ? frame[from + 1] : 0));
    };
    add(pseudo_at, pseudo_at + addresses);
    add(at, frame.size());
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    return sum == 0xffff;
  }

  Testbed bed_;
  // UDP without a checksum; its size is odd.
  FrameBytes datagram_ = make_frame({.source = mac(1), .destination = mac(2), .payload = "partial", .size = 1'001});
};

INSTANTIATE_TEST_SUITE_P(WithoutAndWithFlows, LeftWork, ::testing::Values(0, Testbed::kFlows));

TEST_P(LeftWork, APartialChecksumIsCompletedWhateverTheDriverCallsIt) {
  for (const auto flags : {std::uint64_t{RTE_MBUF_F_RX_L4_CKSUM_NONE}, std::uint64_t{RTE_MBUF_F_TX_UDP_CKSUM}}) {
    auto frame = datagram_;
    frame[40] = 0x12;  // the sum of the pseudo header
    frame[41] = 0x34;
    ASSERT_FALSE(is_correct(frame, 34, 26, 8));
    const auto sent = through(frame, flags);
    ASSERT_THAT(sent, SizeIs(1));
    EXPECT_TRUE(is_correct(sent[0], 34, 26, 8));
  }
}

TEST_P(LeftWork, APacketInPiecesIsSummedAsAWhole) {
  const auto sent = through(datagram_, RTE_MBUF_F_RX_L4_CKSUM_NONE, 77);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(is_correct(sent[0], 34, 26, 8));
}

TEST_P(LeftWork, BehindExtensionHeadersOfIpv6Too) {
  using namespace foreflow::testing;  // NOLINT: builders of bytes
  auto frame =
      ethernet(0x86dd, ipv6(60, FrameBytes{17, 0, 1, 4, 0, 0, 0, 0, 0x30, 0x39, 0x30, 0x3a, 0, 12, 0, 0, 1, 2, 3, 4}));
  std::ranges::copy(mac(2).octets, frame.begin());
  std::ranges::copy(mac(1).octets, frame.begin() + 6);
  const auto sent = through(frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_TRUE(is_correct(sent[0], 14 + 40 + 8, 14 + 8, 32));
}

TEST_P(LeftWork, AHeaderChecksumOfIpv4IsWritten) {
  const auto sent = through(datagram_, RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4);
  ASSERT_THAT(sent, SizeIs(1));
  EXPECT_EQ(rte_raw_cksum(&sent[0][14], 20), 0xffff);
}

TEST_P(LeftWork, AWrongOrUncheckedChecksumIsLeftAlone) {
  EXPECT_THAT(through(datagram_, RTE_MBUF_F_RX_L4_CKSUM_BAD), ::testing::ElementsAre(datagram_));
  EXPECT_THAT(through(datagram_, RTE_MBUF_F_RX_L4_CKSUM_GOOD), ::testing::ElementsAre(datagram_));
}

TEST_P(LeftWork, ASegmentThatSomebodyShouldCutIsANamedDropOfItsVm) {
  const auto large = make_frame({.source = mac(1), .destination = mac(2), .protocol = 6, .size = 1'500});
  EXPECT_THAT(through(large, RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM), IsEmpty());
  EXPECT_EQ(dropped(DropCause::kOffload), 1u);
}

TEST_P(LeftWork, AChecksumThatCannotBeCompletedIsANamedDrop) {
  auto fragment = datagram_;
  fragment[20] = 0x20;  // more fragments
  EXPECT_THAT(through(fragment, RTE_MBUF_F_RX_L4_CKSUM_NONE), IsEmpty());
  EXPECT_THAT(through(make_frame({.source = mac(1), .destination = mac(2), .protocol = 1}), RTE_MBUF_F_TX_UDP_CKSUM),
              IsEmpty());
  EXPECT_EQ(dropped(DropCause::kOffload), 2u);
}

TEST_P(LeftWork, FramesLargerThanAPortAreNamedDropsOfTheirVm) {
  const auto large = make_frame({.source = mac(1), .destination = mac(2), .size = 1'600});
  EXPECT_THAT(through(large, 0), IsEmpty());
  EXPECT_EQ(dropped(DropCause::kOversize), 1u);
}

}  // namespace
}  // namespace foreflow::pipeline
