// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_allocation.h"

#include <algorithm>
#include <set>

#include "common/log.h"

namespace foreflow::app {
namespace {

using model::GuestResource;

constexpr std::uint64_t kMicrosPerCpu = 1'000'000;

// vCPUs are added where the allocation needs them; taking one away needs the guest's consent and is left to operators.
std::optional<std::uint32_t> vcpus_for(const guest::Domain& domain, std::uint64_t want) {
  const auto needed = std::min<std::uint64_t>((want + kMicrosPerCpu - 1) / kMicrosPerCpu, domain.vcpus_maximum);
  if (needed <= domain.vcpus) return std::nullopt;
  return static_cast<std::uint32_t>(needed);
}

std::uint64_t bytes_of(Bytes memory, std::uint64_t interval_ns) {
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(memory.value) * interval_ns / kNanosPerSecond);
}

}  // namespace

Direction series_of(GuestResource resource) {
  return resource == GuestResource::kCpu ? Direction::kEgress : Direction::kIngress;
}

void GuestAllocation::on_sample(const model::GuestSample& sample) {
  parts_.forecasts.observe(sample.vm, series_of(GuestResource::kCpu), sample.time, sample.interval_ns,
                           sample.cpu_ns / 1'000, planner_.is_limited(sample));
  if (sample.memory.used)
    parts_.forecasts.observe(sample.vm, series_of(GuestResource::kMemory), sample.time, sample.interval_ns,
                             bytes_of(*sample.memory.used, sample.interval_ns), false);
}

std::optional<GuestNow> GuestAllocation::now_of(const GuestReading& reading, const model::Vm& vm,
                                                const guest::Domain& domain) {
  const auto mode = std::min(mode_, vm.policy.mode);
  if ((!vm.policy.cpu && !vm.policy.memory) || mode == model::Mode::kObserve) return std::nullopt;
  GuestNow now{.vm = &vm, .domain = &domain};
  now.enforced = mode == model::Mode::kEnforce && !reading.roster.is_frozen(vm.dataplane);
  // The sample knows whether the balloon driver still speaks; without one the domain was only just found.
  if (const auto live = parts_.view.guest(vm.id); live && live->sample.time == reading.now)
    now.used = live->sample.memory.used;
  return now;
}

void GuestAllocation::on_reading(const GuestReading& reading) {
  if (decided_ && reading.now.value - decided_->value < static_cast<std::int64_t>(settings_.period_ns)) return;
  decided_ = reading.now;
  planner_.retain(reading.roster.fleet());
  GuestRequest request{.fleet = reading.roster.fleet(), .host = host_, .node = reading.node, .now = reading.now};
  request.forecast = [&](VmId vm, GuestResource resource) {
    return parts_.forecasts.predict(vm, series_of(resource), reading.now);
  };
  std::set<const guest::Domain*> taking_part;
  for (const auto& [domain, vm] : reading.guests)
    if (auto now = now_of(reading, *vm, *domain)) {
      request.guests.push_back(*now);
      taking_part.insert(domain);
    }
  for (const auto& domain : reading.domains)
    if (!taking_part.contains(&domain)) request.others.value += domain.memory.current.value;
  auto planned = planner_.plan(request);
  for (const auto& [resource, failure] : planned.failures)
    if (failures_[resource] != failure)
      log::error("no allocation", {{"host", host_}, {"what", model::to_string(resource)}, {"reason", failure}});
  failures_ = planned.failures;
  enforce(request, planned);
  parts_.keep(std::move(planned.ran));
  parts_.view.on_decisions(host_, std::move(planned.decisions));
}

void GuestAllocation::enforce(const GuestRequest& request, GuestPlanned& planned) {
  fabric::GuestTarget target{.device = host_};
  for (const auto& guest : request.guests) {
    if (!guest.enforced) continue;
    fabric::GuestLimit limit{.vm = guest.vm->id, .uuid = guest.domain->uuid};
    if (const auto cpu = planned.decisions.find({limit.vm, GuestResource::kCpu}); cpu != planned.decisions.end()) {
      limit.cpu = guest::CpuMicros{cpu->second.limit};
      limit.vcpus = vcpus_for(*guest.domain, std::min(cpu->second.want, cpu->second.limit));
    }
    if (const auto memory = planned.decisions.find({limit.vm, GuestResource::kMemory});
        memory != planned.decisions.end())
      limit.memory = Bytes{memory->second.limit};
    if (limit.cpu || limit.memory) target.limits.push_back(std::move(limit));
  }
  if (target.limits.empty()) return;
  const auto applied = parts_.actuator.apply(target);
  if (!applied) log::warning("CPU and memory are not set", {{"host", host_}, {"reason", applied.error().message}});
  const auto seen = parts_.actuator.read_back(host_);
  for (auto& [key, decision] : planned.decisions) {
    if (!decision.enforced) continue;
    if (!applied) decision.error = applied.error().message;
    if (!seen) continue;
    for (const auto& enforcement : seen->enforcements)
      if (applied && enforcement.asked.vm == key.first)
        decision.error = key.second == GuestResource::kCpu ? enforcement.cpu_error : enforcement.memory_error;
  }
}

}  // namespace foreflow::app
