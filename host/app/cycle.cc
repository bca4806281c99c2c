// SPDX-License-Identifier: Apache-2.0
#include "host/app/cycle.h"

#include <algorithm>
#include <chrono>

#include "common/log.h"
#include "host/app/decision_points.h"

namespace foreflow::app {
namespace {

// Reports come once a second; after so long without one nothing of what is known is new.
constexpr std::int64_t kStaleNs = 30 * static_cast<std::int64_t>(kNanosPerSecond);

}  // namespace

Cycle::Cycle(Parts parts, const model::AllocationSettings& settings, model::Mode mode)
    : parts_(parts), mode_(mode), planner_(settings), shadow_(settings) {}

Cycle::~Cycle() { stop(); }

void Cycle::run_once() {
  parts_.rosters.refresh();
  const auto roster = parts_.rosters.current();
  planner_.retain(roster->fleet());
  if (roster != planned_for_) planner_.forget_regrets();
  planned_for_ = roster;
  parts_.forecasts.retain([&](VmId vm) { return roster->vm(vm) != nullptr; });
  std::erase_if(recorded_forecasts_, [&](const auto& item) { return roster->vm(item.first.first) == nullptr; });
  auto plan = std::make_shared<Plan>();
  plan->made_at = parts_.clock.now();
  plan->policy_version = roster->policy_version();
  for (const auto& dataplane : roster->fleet().dataplanes) {
    auto planned = decide(*roster, dataplane);
    if (!planned) {  // what is installed stays
      log::error("no allocation", {{"dataplane", dataplane.name}, {"reason", planned.error().message}});
      plan->failures[dataplane.name] = planned.error().message;
      continue;
    }
    if (const auto enforced = enforce(*roster, dataplane, planned->decisions); !enforced) {
      log::error("desired state not sent", {{"dataplane", dataplane.name}, {"reason", enforced.error().message}});
      plan->failures[dataplane.name] = enforced.error().message;
    }
    record(*roster, dataplane, planned->decisions);
    for (auto& decision : planned->decisions)
      plan->decisions.emplace(std::pair{decision.vm, decision.direction}, std::move(decision));
    plan->ran[dataplane.name] = std::move(planned->ran);
  }
  if (keep_) keep_(*plan, *roster);
  std::lock_guard lock(mutex_);
  plan_ = std::move(plan);
  ++count_;
}

Result<Planned> Cycle::decide(const Roster& roster, const model::Dataplane& dataplane) {
  const auto live = parts_.live.dataplane(dataplane.name);
  const auto now = parts_.clock.now();
  // A series lives in its dataplane's time; before the first report any time will do.
  const auto series_now = live.last_report.value != 0 ? live.last_report : now;
  Planner::Request request{.fleet = roster.fleet(), .dataplane = dataplane, .now = now};
  request.stale = live.arrived.value != 0 && now.value - live.arrived.value > kStaleNs;
  request.lending = live.hello.boot_id == 0 || live.hello.capabilities.lending != wire::Lending::kNone;
  request.forecast = [&](VmId vm, Direction direction) { return parts_.forecasts.predict(vm, direction, series_now); };
  request.offered = [&](VmId vm, Direction direction) -> std::optional<BytesPerSecond> {
    const auto seen = parts_.live.vm(vm);
    if (!seen) return std::nullopt;
    return model::rate(seen->sample.directions[index(direction)].offered_bytes, seen->interval_ns);
  };
  auto planned = planner_.plan(request);
  if (planned) shadow_.evaluate(request, *planned, parts_.rosters);
  if (planned)
    for (const auto& regret : planned->regrets) {
      log::warning("limits rolled back", {{"why", regret}});
      parts_.live.on_event(dataplane.name, {now, "rollback", regret});
    }
  return planned;
}

foreflow::Status Cycle::enforce(const Roster& roster, const model::Dataplane& dataplane,
                                const std::vector<Decision>& decisions) {
  if (roster.is_frozen(dataplane.name)) return {};
  const auto is_enforced = [&](VmId vm) {
    return std::min(mode_, roster.vm(vm)->policy.mode) == model::Mode::kEnforce;
  };
  std::vector<fabric::Limit> limits;
  for (const auto& decision : decisions)
    if (is_enforced(decision.vm)) limits.push_back(decision.limit);
  auto target = fabric::make_target(roster.fleet(), dataplane, limits);
  const auto is_left_alone = [&](const auto& wish) { return !is_enforced(wish.vm); };
  std::erase_if(target.treatments, is_left_alone);
  std::erase_if(target.bypasses, is_left_alone);
  std::erase_if(target.rules, [&](const auto& rule) { return !is_enforced(wire::vm_of(rule)); });
  if (mode_ != model::Mode::kEnforce)
    for (auto& uplink : target.uplinks) uplink.queueing.reset();
  return parts_.actuator.apply(target);
}

void Cycle::record(const Roster& roster, const model::Dataplane& dataplane, const std::vector<Decision>& decisions) {
  std::vector<store::Point> points;
  for (const auto& decision : decisions) {
    const auto* vm = roster.vm(decision.vm);
    const store::Tags tags{dataplane.host, dataplane.name, vm->name};
    if (std::min(mode_, vm->policy.mode) != model::Mode::kObserve)
      points.push_back(allocation_point(decision, tags, parts_.clock.now()));
    if (!decision.forecast) continue;
    // The first forecast of an interval is kept: later ones have seen part of what they speak of.
    auto& recorded = recorded_forecasts_[{decision.vm, decision.direction}];
    if (recorded >= decision.forecast->made_at) continue;
    recorded = decision.forecast->made_at;
    for (auto& point : forecast_points(decision, tags)) points.push_back(std::move(point));
  }
  if (points.empty()) return;
  if (auto stored = parts_.store.append(points, std::nullopt); !stored)
    log::warning("decisions not stored", {{"dataplane", dataplane.name}, {"reason", stored.error().message}});
}

void Cycle::start(std::uint64_t period_ns, std::function<void()> after_each) {
  thread_ = std::jthread(
      [this, period_ns, after = std::move(after_each)](const std::stop_token& stop) { run(stop, period_ns, after); });
}

void Cycle::run(const std::stop_token& stop, std::uint64_t period_ns, const std::function<void()>& after_each) {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, std::chrono::nanoseconds(period_ns), [this] { return woken_; });
      woken_ = false;
    }
    if (stop.stop_requested()) return;
    run_once();
    if (after_each) after_each();
  }
}

void Cycle::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void Cycle::wake() {
  std::lock_guard lock(mutex_);
  woken_ = true;
  wake_.notify_all();
}

std::shared_ptr<const Plan> Cycle::plan() const {
  std::lock_guard lock(mutex_);
  return plan_;
}

std::uint64_t Cycle::count() const {
  std::lock_guard lock(mutex_);
  return count_;
}

}  // namespace foreflow::app
