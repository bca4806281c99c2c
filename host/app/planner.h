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
#include "host/allocate/limits.h"
#include "host/allocate/round.h"
#include "host/allocate/track_record.h"
#include "host/allocate/trust.h"
#include "host/fabric/target.h"
#include "host/forecast/service.h"
#include "host/model/config.h"

namespace foreflow::app {

// What was decided for one VM and direction.
struct Decision {
  VmId vm;
  Direction direction = Direction::kEgress;
  std::optional<forecast::Forecast> forecast;  // nullopt: no traffic seen yet
  std::string distrust;                        // why the forecast is not believed; empty: it is
  BytesPerSecond want;
  allocate::Share share;
  std::string why;
  fabric::Limit limit;
};

// A round as it was solved: what the audit keeps and `explain` asks again.
struct Ran {
  Direction direction = Direction::kEgress;
  allocate::Round round;
  allocate::Solved solved;
};

struct Planned {
  std::vector<Decision> decisions;   // one per VM of the dataplane and direction
  std::vector<Ran> ran;              // one per direction
  std::vector<std::string> regrets;  // limits that were taken back, and why
};

class Planner {
 public:
  explicit Planner(const model::AllocationSettings& settings);

  struct Request {
    const model::Fleet& fleet;
    const model::Dataplane& dataplane;
    bool lending = true;  // the dataplane lends what is unused by itself
    bool stale = false;   // its reports have stopped: what is known of its VMs is old, so nothing may be narrowed
    UnixNanos now;
    std::function<std::optional<forecast::Forecast>(VmId, Direction)> forecast;
    // What a VM offered under the limits in force; nullopt where nothing is known of it.
    std::function<std::optional<BytesPerSecond>(VmId, Direction)> offered;
  };
  // The wants it leads to are remembered for the next call. kInvalidArgument: guarantees that the uplinks cannot give;
  // kInternal: the solution does not hold its certificate.
  Result<Planned> plan(const Request& request);

  // What a device had before this process began: its limits stand for the wants that led to them, so that a restart
  // moves nothing by itself.
  void remember(const fabric::Target& installed);

  // What an operator or the calendar wants is not regretted: limits from before it are no measure any more.
  void forget_regrets() { regrets_.clear(); }

  // Forgets VMs that the fleet no longer has.
  void retain(const model::Fleet& fleet);

 private:
  struct Memory {
    std::optional<allocate::WantState> want;
    BytesPerSecond installed;  // PIR
    BytesPerSecond cir;
  };
  // What was forecast for the interval in progress, first of all, and how the forecasts before it did.
  struct Kept {
    UnixNanos interval;
    BytesPerSecond forecast;
    allocate::TrackRecord record;
  };
  const allocate::TrackRecord& judge(VmId vm, Direction direction, const forecast::Forecast& forecast,
                                     BytesPerSecond demand, double quantile);
  Result<Ran> plan_direction(const Request& request, Direction direction, Planned& planned);
  void look_back(const Request& request, Direction direction, Planned& planned);
  allocate::Member member_of(const Request& request, const model::Vm& vm, Decision& decision);
  fabric::Limit limit_of(const model::Policy& policy, const Decision& decision) const;

  model::AllocationSettings settings_;
  std::map<std::pair<VmId, Direction>, Memory> memory_;
  std::map<std::pair<VmId, Direction>, Kept> records_;
  std::map<std::pair<std::string, Direction>, allocate::Regret> regrets_;  // by dataplane
};

}  // namespace foreflow::app
