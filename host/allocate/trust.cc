// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/trust.h"

#include <algorithm>
#include <array>

#include "host/allocate/max_min.h"

namespace foreflow::allocate {
namespace {

constexpr std::uint64_t kMostTimesCapacity = 4;

using Wide = unsigned __int128;

std::uint64_t narrowed(Wide value) { return static_cast<std::uint64_t>(std::min<Wide>(value, kUnlimited.value)); }

// `loads` with the limits of `then` where a VM has some there.
std::vector<Load> under(std::vector<Load> loads, const std::vector<Load>& then) {
  for (Load& load : loads) {
    const auto old = std::ranges::lower_bound(then, load.vm, {}, &Load::vm);
    if (old == then.end() || old->vm != load.vm) continue;
    load.cir = old->cir;
    load.pir = old->pir;
    load.want = old->want;
  }
  return loads;
}

}  // namespace

Doubt doubt(BytesPerSecond demand, BytesPerSecond last, BytesPerSecond capacity) {
  if (demand.value < last.value / 2) return Doubt::kTooLow;
  if (capacity != kUnlimited && demand.value / kMostTimesCapacity > capacity.value) return Doubt::kTooHigh;
  return Doubt::kNone;
}

std::uint64_t unserved(std::span<const Load> loads, BytesPerSecond capacity, bool lending) {
  Wide lost = 0;
  if (!lending) {
    for (const Load& load : loads)
      if (load.offered > load.pir) lost += load.offered.value - load.pir.value;
    return narrowed(lost);
  }
  constexpr std::array<std::uint32_t, 1> kOnly{0};
  std::vector<Flow> flows;
  Wide promised = 0;
  for (const Load& load : loads) {
    const auto lower = std::min(load.offered, load.cir).value;
    promised += lower;
    flows.push_back({lower, std::max(lower, std::min(load.offered, load.pir).value), 1, kOnly});
  }
  const std::array<std::uint64_t, 1> capacities{std::max(capacity.value, narrowed(promised))};
  const Filling filling = fill(flows, capacities);
  for (std::size_t i = 0; i < loads.size(); ++i) lost += loads[i].offered.value - filling.flows[i].value;
  return narrowed(lost);
}

std::optional<Regret::Verdict> Regret::judge(UnixNanos now, std::vector<Load> loads, BytesPerSecond capacity,
                                             bool lending) {
  std::erase_if(held_, [&](const auto& item) {
    return now.value - item.second.until.value > static_cast<std::int64_t>(config_.longest_hold_ns);
  });
  Wide offered = 0;
  for (const Load& load : loads) offered += load.offered.value;
  std::optional<Verdict> verdict;
  if (!past_.empty()) {
    const std::vector<Load> before = under(loads, past_.front());
    const Verdict found{unserved(loads, capacity, lending), unserved(before, capacity, lending), 0};
    const Wide tolerated = Wide{found.before} + offered * config_.permille / 1'000;
    if (found.unserved > tolerated) {
      verdict = found;
      for (std::size_t i = 0; i < loads.size(); ++i) {
        if (before[i].want <= loads[i].want) continue;
        Held& held = held_[loads[i].vm];
        held.length_ns = std::clamp(2 * held.length_ns, config_.hold_ns, config_.longest_hold_ns);
        held.want = before[i].want;
        held.until = {now.value + static_cast<std::int64_t>(held.length_ns)};
        ++verdict->restored;
      }
      if (verdict->restored == 0) verdict.reset();
      past_.clear();
    }
  }
  past_.push_back(std::move(loads));
  if (past_.size() > config_.cycles) past_.pop_front();
  return verdict;
}

std::optional<BytesPerSecond> Regret::held(VmId vm, UnixNanos now) const {
  const auto found = held_.find(vm);
  if (found == held_.end() || found->second.until <= now) return std::nullopt;
  return found->second.want;
}

}  // namespace foreflow::allocate
