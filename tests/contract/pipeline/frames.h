// SPDX-License-Identifier: Apache-2.0
// Ethernet frames for tests.
#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "dataplane/net/tunnel.h"

namespace foreflow::pipeline {

using FrameBytes = std::vector<std::uint8_t>;

inline constexpr MacAddress kBroadcast{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
constexpr MacAddress mac(std::uint8_t last) { return {{0x52, 0x54, 0, 0, 0, last}}; }

inline constexpr std::uint8_t kFinFlag = 0x01, kSynFlag = 0x02, kRstFlag = 0x04, kAckFlag = 0x10;

struct FrameSpec {
  MacAddress source;
  MacAddress destination;
  std::uint16_t vlan = 0;        // 0 = untagged
  std::uint8_t source_host = 1;  // 10.0.0.x
  std::uint8_t destination_host = 2;
  std::uint8_t protocol = 17;
  std::uint16_t source_port = 1000;
  std::uint16_t destination_port = 2000;
  std::uint8_t tcp_flags = kAckFlag;
  std::uint32_t tcp_sequence = 1;
  std::string_view payload;
  std::size_t size = 0;  // of the whole frame; padded with payload zeros when longer than the rest
};
FrameBytes make_frame(const FrameSpec& spec);
// `inner` on its way from one end of a tunnel to another.
FrameBytes make_overlay(const net::TunnelEnd& from, Ipv4Address to, std::uint32_t vni, const FrameBytes& inner);

}  // namespace foreflow::pipeline
