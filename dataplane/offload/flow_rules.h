// SPDX-License-Identifier: Apache-2.0
// Bypassed flows as rules behind both meters:
//   group 5  port, addresses, 5-tuple -> COUNT, AGE, out of the other port
//            the same, stronger       -> JUMP 6, which is empty: the CPU (while a flow is taken back)
// Of TCP only segments without SYN, FIN and RST, so that the pipeline sees connections begin and end.
// Place: dataplane/offload, part of RteFlowBackend. Thread safety: control thread only.
#pragma once
#include <functional>
#include <unordered_map>

#include "dataplane/offload/flow_offload.h"

namespace foreflow::offload {

class FlowRules final : public FlowOffload {
 public:
  // `domain`: of a port that can carry flows, or the reason why there is none. A route has the port's packets reach
  // group 5 and stands as long as it is held.
  struct Ports {
    std::function<Result<TransferDomain*>(std::uint16_t port)> domain;
    std::function<Status(TransferDomain& domain, std::uint16_t port)> hold_route;
    std::function<void(std::uint16_t port)> let_go_of_route;
  };
  explicit FlowRules(Ports ports) : ports_(std::move(ports)) {}

  Status able(std::uint16_t port) const override;
  Result<Handle> give(const BypassFlow& flow) override;
  Result<FlowCounts> read(Handle handle) override;
  Result<FlowCounts> take_back(Handle handle) override;
  bool empty() const { return flows_.empty(); }
  std::size_t size() const { return flows_.size(); }
  // For one of them at least.
  bool device_answers() const;
  // The device has lost all of them: kNotFound from now on.
  void forget() { flows_.clear(); }

 private:
  struct Way {  // one direction
    RuleMatch match;
    std::uint16_t out_port = 0;
    rte_flow* bypass = nullptr;
    rte_flow* back = nullptr;
  };
  struct Flow {
    TransferDomain* domain = nullptr;
    std::array<Way, kDirections> ways;
    FlowCounts last;  // of ways that are gone
  };
  static std::array<Way, kDirections> ways_of(const BypassFlow& flow);
  Status create(Flow& flow, Way& way, std::uint32_t idle_seconds);
  void undo(Flow& flow);
  Status finish(Flow& flow, std::size_t way);

  Ports ports_;
  std::unordered_map<Handle, Flow> flows_;
  Handle next_ = 1;
};

}  // namespace foreflow::offload
