// SPDX-License-Identifier: Apache-2.0
// Hands long flows to the device, reads what it carried, and takes them back: when they are idle, when the pipeline
// wants to see them (a connection begins or ends), and when their VM may no longer bypass it.
// Place: dataplane/pipeline, control thread. Every packet is counted once: by the pipeline before and after, by the
// device in between (its counters start at 0 with the flow; the last ones are read after the flow has come back).
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "dataplane/offload/flow_offload.h"
#include "dataplane/pipeline/bypass_desk.h"

namespace foreflow::pipeline {

class Bypasser {
 public:
  static constexpr std::size_t kMostPerTurn = 256;  // device calls take their time
  static constexpr std::uint64_t kReadEvery = 1'000'000'000;
  static constexpr std::uint64_t kTryAgainAfter = 5'000'000'000;

  // One desk per worker.
  explicit Bypasser(std::span<const std::unique_ptr<BypassDesk>> desks) : desks_(desks), unsent_(desks.size()) {}

  // The flows that the configuration lets the device carry.
  using Permission = std::function<bool(const BypassRequest&)>;
  // Answers requests, and reads counters once per kReadEvery. `device` may be null: nothing is taken over. What is not
  // permitted is not taken over either: the worker may have asked under the configuration before.
  void turn(offload::FlowOffload* device, std::uint64_t now_ns, const Permission& permitted);
  // Reads all counters now.
  void read(offload::FlowOffload& device);
  // Takes back what is not permitted (any longer).
  void retain(offload::FlowOffload& device, const Permission& permitted);

  std::size_t carried() const { return carried_.size(); }

 private:
  struct Carried {
    BypassRequest request;
    std::size_t worker = 0;
    offload::FlowOffload::Handle handle = 0;
    offload::FlowCounts booked;
  };
  struct Refused {
    BypassRequest request;
    std::size_t worker = 0;
    std::uint64_t again_ns = 0;
  };
  struct KeyHash {
    std::size_t operator()(const flow::FlowKey& key) const noexcept { return flow::hash(key); }
  };
  using Flows = std::unordered_map<flow::FlowKey, Carried, KeyHash>;

  void answer(offload::FlowOffload* device, std::size_t worker, const BypassRequest& request, std::uint64_t now_ns);
  void refuse(std::size_t worker, const BypassRequest& request, std::uint64_t now_ns);
  void give(offload::FlowOffload& device, std::size_t worker, const BypassRequest& request, std::uint64_t now_ns);
  // False: the device keeps it for now.
  bool take_back(offload::FlowOffload& device, Carried& flow);
  void book(Carried& flow, const offload::FlowCounts& counts, bool ended);
  void send_credits();

  std::span<const std::unique_ptr<BypassDesk>> desks_;
  Flows carried_;
  std::deque<Refused> refused_;
  std::vector<std::deque<BypassCredit>> unsent_;  // by worker; its ring was full
  std::uint64_t read_ns_ = 0;
};

}  // namespace foreflow::pipeline
