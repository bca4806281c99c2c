// SPDX-License-Identifier: Apache-2.0
// The largest flows of a worker since the last report, found by a scan that costs little per poll.
// Place: dataplane/pipeline. Thread safety: scan() by the worker; request() and take() by the control thread. The list
// changes hands through one atomic state.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/classify/fingerprint.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/pipeline/fingerprints.h"

namespace foreflow::pipeline {

struct FlowView {
  flow::FlowKey key;
  std::array<std::uint64_t, kDirections> bytes{};  // since the flow began
  std::uint64_t interval_bytes = 0;                // both directions, since the scan before
  std::uint32_t age_seconds = 0;                   // as far as scans have seen it
  std::uint16_t protocol = 0;
  std::uint16_t app = 0;
  Category category = Category::kUnknown;
  std::uint8_t confidence = 0;
  classify::Source source = classify::Source::kNone;
  classify::Behaviour behaviour = classify::Behaviour::kNone;
  bool encrypted_hello = false;
  std::optional<classify::Fingerprint> fingerprint;  // of its TLS client, where it was made and is still kept
};

class TopFlows {
 public:
  static constexpr std::uint32_t kPerPoll = 64;  // records looked at

  // `fingerprints` may be null: there are none.
  explicit TopFlows(const flow::FlowTable& flows, const Fingerprints* fingerprints = nullptr);

  // Worker. Does nothing unless a list is asked for.
  void scan(std::uint64_t now_ns);

  // Control: asks for a list; without effect while one is being made.
  void request() noexcept;
  bool ready() const noexcept { return state_.load(std::memory_order_acquire) == State::kReady; }
  // Control: the list that was asked for, largest first; empty while it is not ready.
  std::vector<FlowView> take();

 private:
  enum class State : std::uint8_t { kIdle, kScanning, kReady };
  // What the former scan knew of the record at this place of the table.
  struct Memory {
    std::uint64_t bytes = 0;
    std::uint32_t fingerprint = 0;
    std::uint32_t first_seen_seconds = 0;
  };

  void finish(std::uint64_t now_ns);
  void offer(const flow::FlowRecord& record, Memory& memory, std::uint32_t now_seconds);

  const flow::FlowTable& flows_;
  const Fingerprints* fingerprints_;
  std::vector<Memory> memories_;
  std::vector<FlowView> list_;  // a heap, the smallest first, while it is being made
  std::uint32_t cursor_ = 0;
  std::atomic<State> state_{State::kIdle};
};

}  // namespace foreflow::pipeline
