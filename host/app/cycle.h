// SPDX-License-Identifier: Apache-2.0
// The allocation cycle: every period, forecast -> want -> allocation -> targets, for each dataplane.
// Place: host/app. One thread of its own runs it; plan() and wake() may be called from any thread.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "common/clock.h"
#include "host/app/live_view.h"
#include "host/app/planner.h"
#include "host/app/roster.h"
#include "host/app/shadow.h"
#include "host/fabric/actuator.h"
#include "host/store/series_store.h"

namespace foreflow::app {

struct Plan {
  UnixNanos made_at;
  std::uint64_t policy_version = 0;
  std::map<std::pair<VmId, Direction>, Decision> decisions;
  std::map<std::string, std::vector<Ran>> ran;  // by dataplane
  std::map<std::string, std::string> failures;  // why a dataplane got no new limits; what it has stays
};

class Cycle {
 public:
  struct Parts {
    Rosters& rosters;
    store::SeriesStore& store;
    forecast::ForecastService& forecasts;
    LiveView& live;
    fabric::Actuator& actuator;
    const Clock& clock;
  };
  Cycle(Parts parts, const model::AllocationSettings& settings, model::Mode mode);
  ~Cycle();  // ends the thread

  // What a device had when this process began; before the first run_once().
  void remember(const fabric::Target& installed) { planner_.remember(installed); }
  // Once, in the caller's thread; not while the thread runs.
  void run_once();
  // Called with each plan once it is in force, in the cycle's thread. Set before the first run.
  using Keep = std::function<void(const Plan& plan, const Roster& roster)>;
  void keep_with(Keep keep) { keep_ = std::move(keep); }
  // Starts the thread: every period, and whenever it is woken.
  void start(std::uint64_t period_ns, std::function<void()> after_each);
  void stop();
  void wake();

  Shadow& shadow() { return shadow_; }
  const Shadow& shadow() const { return shadow_; }
  std::shared_ptr<const Plan> plan() const;
  std::uint64_t count() const;

 private:
  Result<Planned> decide(const Roster& roster, const model::Dataplane& dataplane);
  foreflow::Status enforce(const Roster& roster, const model::Dataplane& dataplane,
                           const std::vector<Decision>& decisions);
  void record(const Roster& roster, const model::Dataplane& dataplane, const std::vector<Decision>& decisions);
  void run(const std::stop_token& stop, std::uint64_t period_ns, const std::function<void()>& after_each);

  Parts parts_;
  model::Mode mode_;
  Planner planner_;
  std::shared_ptr<const Roster> planned_for_;
  Shadow shadow_;
  Keep keep_;
  std::map<std::pair<VmId, Direction>, UnixNanos> recorded_forecasts_;

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable_any wake_;
  bool woken_ = false;
  std::shared_ptr<const Plan> plan_ = std::make_shared<const Plan>();
  std::uint64_t count_ = 0;
  std::jthread thread_;
};

}  // namespace foreflow::app
