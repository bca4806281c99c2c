// SPDX-License-Identifier: Apache-2.0
#include "host/app/shadow.h"

#include <algorithm>
#include <utility>

namespace foreflow::app {
namespace {

std::uint64_t bytes(std::uint64_t rate, std::uint64_t elapsed_ns) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(rate) * elapsed_ns / kNanosPerSecond);
}

}  // namespace

void Shadow::start(policy::Document document, const std::string& name, UnixNanos now) {
  std::lock_guard lock(mutex_);
  running_.emplace(Running{std::move(document), name, now, Planner(settings_), {}, {}, {}});
}

void Shadow::stop() {
  std::lock_guard lock(mutex_);
  running_.reset();
}

void Shadow::evaluate(const Planner::Request& request, const Planned& active, const Rosters& rosters) {
  std::lock_guard lock(mutex_);
  if (!running_) return;
  Running& running = *running_;
  const auto before = std::exchange(running.evaluated[request.dataplane.name], request.now);
  if (before.value != 0 && !request.stale)
    compare(running, request, static_cast<std::uint64_t>(std::max<std::int64_t>(request.now.value - before.value, 0)));
  ++running.sums.cycles;
  const auto fleet = rosters.under(running.document, request.now).fleet;
  const auto* dataplane = fleet.dataplane(request.dataplane.name);
  if (!dataplane) return;
  const auto planned = running.planner.plan({.fleet = fleet,
                                             .dataplane = *dataplane,
                                             .lending = request.lending,
                                             .stale = request.stale,
                                             .now = request.now,
                                             .forecast = request.forecast,
                                             .offered = request.offered});
  if (!planned) {
    ++running.sums.failures;
    return;
  }
  for (const auto& decision : active.decisions)
    running.limits[{decision.vm, decision.direction}].active = decision.share;
  for (const auto& decision : planned->decisions)
    running.limits[{decision.vm, decision.direction}].shadow = decision.share;
}

void Shadow::compare(Running& running, const Planner::Request& request, std::uint64_t elapsed_ns) {
  for (const auto direction : kBothDirections) {
    std::vector<allocate::Load> active;
    std::vector<allocate::Load> shadow;
    for (const auto& vm : request.fleet.vms) {
      const auto limits = running.limits.find({vm.id, direction});
      const auto offered = request.offered(vm.id, direction);
      if (vm.dataplane != request.dataplane.name || limits == running.limits.end() || !offered) continue;
      running.sums.offered += bytes(offered->value, elapsed_ns);
      const auto& [ours, theirs] = limits->second;
      active.push_back({vm.id, ours.cir, ours.pir, {}, *offered});
      shadow.push_back({vm.id, theirs.cir, theirs.pir, {}, *offered});
    }
    const auto capacity = request.dataplane.capacity(direction);
    running.sums.active_unserved += bytes(allocate::unserved(active, capacity, request.lending), elapsed_ns);
    running.sums.shadow_unserved += bytes(allocate::unserved(shadow, capacity, request.lending), elapsed_ns);
  }
}

api::ShadowReport Shadow::report(const Roster& roster) const {
  std::lock_guard lock(mutex_);
  if (!running_) return {};
  auto report = running_->sums;
  report.name = running_->name;
  report.since = running_->since;
  for (const auto& [key, limits] : running_->limits) {
    const auto* vm = roster.vm(key.first);
    if (!vm || limits.active == limits.shadow) continue;
    report.limits.push_back(
        {vm->name, key.second, limits.active.cir, limits.shadow.cir, limits.active.pir, limits.shadow.pir});
  }
  return report;
}

}  // namespace foreflow::app
