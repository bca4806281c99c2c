// SPDX-License-Identifier: Apache-2.0
// A policy that is evaluated beside the one in force: the same reports and forecasts, its own wants and limits, nothing
// of it reaches a device.
// Place: host/app, asked by the cycle. Thread safety: all members from any thread; evaluate() by the cycle's alone.
#pragma once
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/api/audit_operations.h"
#include "host/app/planner.h"
#include "host/app/roster.h"

namespace foreflow::app {

class Shadow {
 public:
  explicit Shadow(const model::AllocationSettings& settings) : settings_(settings) {}

  void start(policy::Document document, const std::string& name, UnixNanos now);
  void stop();

  // One round of a dataplane: `request` as the active policy had it, `active` what it came to. What was offered since
  // the last round is held against the limits that both had then.
  void evaluate(const Planner::Request& request, const Planned& active, const Rosters& rosters);
  // What it has shown since start(); no name when none is running.
  api::ShadowReport report(const Roster& roster) const;

 private:
  struct Limits {
    allocate::Share active;
    allocate::Share shadow;
  };
  struct Running {
    policy::Document document;
    std::string name;
    UnixNanos since;
    Planner planner;
    api::ShadowReport sums;
    std::map<std::string, UnixNanos> evaluated;  // by dataplane, when last
    std::map<std::pair<VmId, Direction>, Limits> limits;
  };
  static void compare(Running& running, const Planner::Request& request, std::uint64_t elapsed_ns);

  model::AllocationSettings settings_;
  mutable std::mutex mutex_;
  std::optional<Running> running_;
};

}  // namespace foreflow::app
