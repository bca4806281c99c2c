// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/top_flows.h"

#include <algorithm>
#include <cstring>

namespace foreflow::pipeline {
namespace {

bool larger(const FlowView& a, const FlowView& b) { return a.interval_bytes > b.interval_bytes; }

// Tells a flow from the one that had its place before; a million of them are asked each second.
std::uint32_t fingerprint_of(const flow::FlowKey& key) noexcept {
  std::array<std::uint64_t, sizeof(key) / 8> words;
  std::memcpy(words.data(), &key, sizeof key);
  std::uint64_t sum = 0;
  for (const auto word : words) sum = (sum ^ word) * 0x9e3779b97f4a7c15;
  return static_cast<std::uint32_t>(sum >> 32);
}

}  // namespace

TopFlows::TopFlows(const flow::FlowTable& flows, const Fingerprints* fingerprints)
    : flows_(flows), fingerprints_(fingerprints), memories_(flows.capacity()) {
  list_.reserve(wire::kMostFlows);
}

void TopFlows::scan(std::uint64_t now_ns) {
  if (state_.load(std::memory_order_acquire) != State::kScanning) return;
  const auto now_seconds = static_cast<std::uint32_t>(now_ns / kNanosPerSecond);
  for (std::uint32_t i = 0; i < kPerPoll; ++i) {
    if (memories_.empty()) return state_.store(State::kReady, std::memory_order_release);
    auto& memory = memories_[cursor_];
    cursor_ = flows_.scan(cursor_, 1, [&](const flow::FlowRecord& record) { offer(record, memory, now_seconds); });
    if (cursor_ != 0) continue;
    return finish(now_ns);
  }
}

void TopFlows::finish(std::uint64_t now_ns) {
  std::sort_heap(list_.begin(), list_.end(), larger);
  for (auto& view : list_) {
    if (fingerprints_ == nullptr) break;
    if (const auto* kept = fingerprints_->find(view.key, now_ns); kept != nullptr) view.fingerprint = *kept;
  }
  state_.store(State::kReady, std::memory_order_release);
}

void TopFlows::offer(const flow::FlowRecord& record, Memory& memory, std::uint32_t now_seconds) {
  const auto fingerprint = fingerprint_of(record.key);
  const std::uint64_t bytes = record.egress_bytes + record.ingress_bytes;
  if (memory.fingerprint != fingerprint || bytes < memory.bytes) memory = {0, fingerprint, now_seconds};
  const FlowView view{record.key,
                      {record.egress_bytes, record.ingress_bytes},
                      bytes - memory.bytes,
                      now_seconds - memory.first_seen_seconds,
                      static_cast<std::uint16_t>(record.protocol),
                      static_cast<std::uint16_t>(record.decided != 0 ? record.app : 0),
                      static_cast<Category>(record.category),
                      record.confidence,
                      static_cast<classify::Source>(record.source),
                      static_cast<classify::Behaviour>(record.behaviour()),
                      record.has_encrypted_hello(),
                      {}};
  memory.bytes = bytes;
  if (view.interval_bytes == 0) return;
  if (list_.size() == wire::kMostFlows) {
    if (!larger(view, list_.front())) return;
    std::pop_heap(list_.begin(), list_.end(), larger);
    list_.pop_back();
  }
  list_.push_back(view);
  std::push_heap(list_.begin(), list_.end(), larger);
}

void TopFlows::request() noexcept {
  if (state_.load(std::memory_order_acquire) == State::kIdle) state_.store(State::kScanning, std::memory_order_release);
}

std::vector<FlowView> TopFlows::take() {
  if (state_.load(std::memory_order_acquire) != State::kReady) return {};
  auto list = list_;
  list_.clear();
  state_.store(State::kIdle, std::memory_order_release);
  return list;
}

}  // namespace foreflow::pipeline
