// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/shaper.h"

#include <algorithm>

#include "dataplane/net/octets.h"
#include "dataplane/net/traffic_class.h"

namespace foreflow::pipeline {

void ShapeQueue::set_rate(BytesPerSecond rate) noexcept {
  const auto exact = static_cast<unsigned __int128>(rate.value) * kMostNs / kNanosPerSecond;
  most_bytes_ = std::max<std::uint64_t>(
      kLeastBytes, static_cast<std::uint64_t>(std::min<unsigned __int128>(exact, ~std::uint64_t{0} >> 1)));
}

bool ShapeQueue::push(const Waiting& waiting) noexcept {
  if (count_ == kMostPackets || bytes_ + waiting.size > most_bytes_) return false;
  ring_[(first_ + count_++) % kMostPackets] = waiting;
  bytes_ += waiting.size;
  return true;
}

void ShapeQueue::pop() noexcept {
  bytes_ -= ring_[first_].size;
  first_ = (first_ + 1) % kMostPackets;
  --count_;
}

void Shaper::shape(vm::Slot slot, Direction direction, BytesPerSecond rate) {
  auto& queue = queues_[at(slot, direction)];
  leaving_[at(slot, direction)] = false;
  if (!queue) {
    queue = std::make_unique<ShapeQueue>();
    busy_.reserve(++shaped_);
  }
  queue->set_rate(rate);
}

void Shaper::stop(vm::Slot slot, Direction direction) noexcept {
  auto& queue = queues_[at(slot, direction)];
  if (!queue) return;
  leaving_[at(slot, direction)] = true;
  if (!queue->empty()) return;  // tidy() removes it
  queue.reset();
  --shaped_;
}

void Shaper::note_busy(vm::Slot slot, Direction direction) noexcept {
  const auto key = static_cast<std::uint32_t>(at(slot, direction));
  if (std::find(busy_.begin(), busy_.end(), key) == busy_.end()) busy_.push_back(key);
}

void Shaper::tidy() noexcept {
  std::erase_if(busy_, [this](std::uint32_t key) {
    if (!queues_[key]) return true;
    if (!queues_[key]->empty()) return false;
    if (leaving_[key]) {
      queues_[key].reset();
      --shaped_;
    }
    return true;
  });
}

namespace {

constexpr std::uint8_t kEcnMask = 0x03;  // of the traffic class; 0 = cannot be marked, 3 = is marked

bool can_be_marked(std::uint8_t ecn) noexcept { return ecn != 0; }

}  // namespace

bool mark_congestion(rte_mbuf* packet, const net::Parsed& parsed) noexcept {
  if (parsed.ip_version == 0 || !RTE_MBUF_DIRECT(packet) || rte_mbuf_refcnt_read(packet) != 1) return false;
  auto* ip = rte_pktmbuf_mtod_offset(packet, std::uint8_t*, parsed.l3_offset);
  if (parsed.ip_version == 4) {
    if (!can_be_marked(ip[1] & kEcnMask)) return false;
    const auto before = net::load_be16(ip);
    ip[1] |= kEcnMask;
    net::update_checksum(ip + 10, before, net::load_be16(ip));
    return true;
  }
  const auto ecn = static_cast<std::uint8_t>(ip[1] >> 4 & kEcnMask);  // the class lies across two bytes
  if (!can_be_marked(ecn)) return false;
  ip[1] |= kEcnMask << 4;
  return true;
}

}  // namespace foreflow::pipeline
