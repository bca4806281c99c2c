// SPDX-License-Identifier: Apache-2.0
// From forecasts to limits for the VMs of one dataplane: want, allocation, and why.
// Place: host/app; asked by the cycle. Thread safety: none, the cycle's thread owns it.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "host/allocate/allocate.h"
#include "host/allocate/limits.h"
#include "host/allocate/want.h"
#include "host/fabric/target.h"
#include "host/forecast/service.h"
#include "host/model/config.h"

namespace foreflow::app {

// What was decided for one VM and direction.
struct Decision {
  VmId vm;
  Direction direction = Direction::kEgress;
  std::optional<forecast::Forecast> forecast;  // nullopt: no traffic seen yet
  BytesPerSecond want;
  allocate::Share share;
  std::string why;
  fabric::Limit limit;
};

class Planner {
 public:
  explicit Planner(const model::AllocationSettings& settings);

  struct Request {
    const model::Fleet& fleet;
    const model::Dataplane& dataplane;
    bool lending = true;  // the dataplane lends what is unused by itself
    UnixNanos now;
    std::function<std::optional<forecast::Forecast>(VmId, Direction)> forecast;
  };
  // One decision per VM of the dataplane and direction. The wants it leads to are remembered for the next call.
  // kInvalidArgument: guarantees that the uplinks cannot give; kInternal: the solution does not hold its certificate.
  Result<std::vector<Decision>> plan(const Request& request);

  // What a device had before this process began: its limits stand for the wants that led to them, so that a restart
  // moves nothing by itself.
  void remember(const fabric::Target& installed);

  // Forgets VMs that the fleet no longer has.
  void retain(const model::Fleet& fleet);

 private:
  struct Memory {
    std::optional<allocate::WantState> want;
    BytesPerSecond installed;  // PIR
  };
  Result<std::vector<Decision>> plan_direction(const Request& request, Direction direction);
  allocate::WantInput want_input(const Request& request, const model::Vm& vm, const Decision& decision) const;

  allocate::WantConfig want_config_;
  allocate::BurstConfig burst_config_;
  BytesPerSecond floor_;
  std::map<std::pair<VmId, Direction>, Memory> memory_;
};

}  // namespace foreflow::app
