// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/peak_lender.h"

#include <algorithm>
#include <set>
#include <utility>

#include "dataplane/profile/sampler.h"

namespace foreflow::pipeline {
namespace {

BytesPerSecond rate(std::uint64_t now, std::uint64_t before, std::uint64_t elapsed_ns) {
  const auto bytes = now - std::min(now, before);
  return {static_cast<std::uint64_t>(static_cast<unsigned __int128>(bytes) * kNanosPerSecond / elapsed_ns)};
}

}  // namespace

void PeakLender::turn(const vm::SlotAllocator& slots, std::size_t uplinks, std::uint64_t now_ns) {
  const auto elapsed = now_ns - turned_ns_;
  if (elapsed < kEveryNs || uplinks == 0) return;
  turned_ns_ = now_ns;
  auto pools = find_pools(slots, uplinks);
  if (std::ranges::any_of(pools, [this](const auto& pool) { return is_contended(pool); }))
    measure(pools, slots, uplinks, elapsed);
  std::map<IntentId, BytesPerSecond> peaks;
  for (const auto& entry : pools) {
    const auto& pool = entry.second;
    const auto left = capacity(entry.first).value;
    const auto lent = is_contended(entry)
                          ? offload::lend_peaks(pool.claims, {left - std::min(left, pool.elsewhere.value)})
                          : std::vector<BytesPerSecond>(pool.ids.size(), kUnlimited);
    for (std::size_t i = 0; i < lent.size(); ++i) peaks.emplace(pool.ids[i], lent[i]);
  }
  enforcer_.lend(peaks);
}

PeakLender::Pools PeakLender::find_pools(const vm::SlotAllocator& slots, std::size_t uplinks) const {
  Pools pools;
  for (const auto& [id, police] : enforcer_.lendable()) {
    const auto slot = slots.find(police.vm);
    if (!slot) continue;
    auto& pool = pools[{*slot % uplinks, police.direction}];
    pool.ids.push_back(id);
    pool.claims.push_back({.cir = police.cir, .cap = police.pir, .weight = police.weight, .offered = {}});
  }
  return pools;
}

bool PeakLender::is_contended(const Pools::value_type& entry) const {
  unsigned __int128 peaks = 0;
  for (const auto& claim : entry.second.claims) peaks += claim.cap.value;
  return peaks > capacity(entry.first).value;
}

BytesPerSecond PeakLender::capacity(const Pools::key_type& pool) const {
  return engine_.limits().uplinks.at(pool.first).residuals[index(pool.second)].capacity();
}

void PeakLender::measure(Pools& pools, const vm::SlotAllocator& slots, std::size_t uplinks, std::uint64_t elapsed_ns) {
  std::map<IntentId, std::uint64_t> now;
  for (const auto& [stats, vm, direction, cause] : enforcer_.read_device_stats())
    now.emplace(stats.id, stats.passed_bytes + stats.dropped_bytes);
  for (auto& [where, pool] : pools) {
    for (std::size_t i = 0; i < pool.ids.size(); ++i) {
      const auto read = now.find(pool.ids[i]);
      const auto before = offered_.find(pool.ids[i]);
      if (read != now.end() && before != offered_.end())
        pool.claims[i].offered = rate(read->second, before->second, elapsed_ns);
    }
  }
  offered_ = std::move(now);
  for (const auto direction : kBothDirections) measure_elsewhere(pools, direction, slots, uplinks, elapsed_ns);
}

// What VMs use whose limit, if they have one, is the pipeline's.
void PeakLender::measure_elsewhere(Pools& pools, Direction direction, const vm::SlotAllocator& slots,
                                   std::size_t uplinks, std::uint64_t elapsed_ns) {
  std::set<VmId> in_device;
  for (const auto& [id, police] : enforcer_.lendable())
    if (police.direction == direction) in_device.insert(police.vm);
  std::map<vm::Slot, std::uint64_t> now;
  auto& last = in_pipeline_[index(direction)];
  for (const auto& [vm, slot] : slots.held()) {
    if (in_device.contains(vm)) continue;
    const auto bytes = profile::read(engine_.vms()[slot].directions[index(direction)]).passed_bytes;
    now.emplace(slot, bytes);
    if (const auto before = last.find(slot); before != last.end())
      pools[{slot % uplinks, direction}].elsewhere.value += rate(bytes, before->second, elapsed_ns).value;
  }
  last = std::move(now);
}

}  // namespace foreflow::pipeline
