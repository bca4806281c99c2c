// SPDX-License-Identifier: Apache-2.0
// What the offload tests share: ports that loop back what is sent on them, an empty emulated eSwitch in front of them,
// a clock that moves by hand, and frames between named VMs.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rte_mbuf.h>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/intent.h"
#include "dataplane/offload/steering.h"

namespace foreflow::offload::test {

inline constexpr std::uint16_t kUplink = 0;
inline constexpr std::uint16_t kWebPort = 1;
inline constexpr std::uint16_t kSharedPort = 2;
inline constexpr std::uint16_t kUnusedPort = 3;
inline constexpr MacAddress kWeb{{0x52, 0x54, 0, 0, 0, 1}};
inline constexpr MacAddress kRed{{0x52, 0x54, 0, 0, 0, 2}};   // on the shared port
inline constexpr MacAddress kBlue{{0x52, 0x54, 0, 0, 0, 3}};  // on the shared port
inline constexpr MacAddress kOutside{{0x00, 0x10, 0, 0, 0, 9}};

struct Frame {
  MacAddress source;
  MacAddress destination;
  std::uint32_t size = 1'000;
  std::optional<std::uint16_t> vlan = {};
  std::vector<std::uint8_t> bytes = {};  // the whole frame, instead of all above
};

class DeviceTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;

  void use(const emulated::EswitchConfig& config);
  static void advance(std::uint64_t nanoseconds);

  // Lets `count` frames arrive at the port at this instant; returns how many reach the receiver.
  std::uint32_t arrive(std::uint16_t port, const Frame& frame, std::uint32_t count = 1);
  // What has left through a port without anyone sending it there; taken away.
  static std::vector<std::vector<std::uint8_t>> left_through(std::uint16_t port);
  // Lets one frame arrive and returns what reaches the receiver; empty: nothing.
  static std::vector<std::uint8_t> pass(std::uint16_t port, const std::vector<std::uint8_t>& bytes);
  // Where the device tells the receiver to lead what a VM sends.
  static Steering steering_of(std::uint16_t port, const std::vector<std::uint8_t>& bytes);
  // The same as arrive() without a look at the pool, for one of several threads.
  static std::uint32_t send_and_receive(std::uint16_t port, const Frame& frame, std::uint32_t count);
  // Frames in the hands of nobody who frees them, once all traffic has ended.
  static unsigned frames_in_use();
  // Applied to each frame that arrives from now on.
  static void stamp_with(std::function<void(rte_mbuf&)> stamp);
  // `count` frames, one every `gap_ns`; returns how many reach the receiver.
  std::uint32_t stream(std::uint16_t port, const Frame& frame, std::uint32_t count, std::uint64_t gap_ns);
};

// The web VM owns its port; red and blue share one.
ResolvedIntent egress_limit(std::uint64_t id, const MacAddress& mac, BytesPerSecond rate);
ResolvedIntent ingress_limit(std::uint64_t id, const MacAddress& mac, BytesPerSecond rate);
void set_rate(ResolvedIntent& intent, BytesPerSecond rate);
// `treatment` for what a VM sends or receives, by its direction.
ResolvedIntent treating(std::uint64_t id, const MacAddress& mac, wire::Treatment treatment);

inline IntentSet set_of(const std::vector<ResolvedIntent>& intents) {
  IntentSet set;
  for (const auto& intent : intents) set.emplace(intent.intent.id, intent);
  return set;
}
inline const std::vector<std::uint16_t> kAllPorts{kUplink, kWebPort, kSharedPort, kUnusedPort};

}  // namespace foreflow::offload::test
