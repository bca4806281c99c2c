// SPDX-License-Identifier: Apache-2.0
// The frames of one VM in a burst, and what its stages ask about a frame.
// Place: dataplane/pipeline; inside the forwarder.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/pipeline/forwarder.h"

namespace foreflow::pipeline {

struct Forwarder::Run {
  vm::Slot slot = vm::kNoSlot;
  const VmEntry* vm = nullptr;
  std::size_t count = 0;
  std::array<Frame*, kBurst> frames;
  std::array<Route, kBurst> routes;
  std::array<police::Offer, kBurst> offers;
  std::array<flow::FlowRecord*, kBurst> flows;

  void remove(std::size_t at) noexcept { frames[at] = nullptr; }
};

inline std::uint32_t size_of(const Frame& frame) noexcept { return rte_pktmbuf_pkt_len(frame.packet); }

inline std::span<const std::uint8_t> bytes_of(const rte_mbuf* packet) noexcept {
  return {rte_pktmbuf_mtod(packet, const std::uint8_t*), rte_pktmbuf_data_len(packet)};
}

inline Category category_of(const flow::FlowRecord* flow) noexcept {
  return flow == nullptr ? Category::kUnknown : static_cast<Category>(flow->category);
}

inline void add_bytes(flow::FlowRecord* flow, Direction direction, std::uint32_t size) noexcept {
  if (flow == nullptr) return;
  if (direction == Direction::kEgress)
    flow->egress_bytes += size;
  else
    flow->ingress_bytes += size;
}

}  // namespace foreflow::pipeline
