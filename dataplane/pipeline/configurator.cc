// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/configurator.h"

#include <cassert>
#include <set>
#include <utility>

#include "dataplane/pipeline/resolve.h"

namespace foreflow::pipeline {

void Configurator::begin(const wire::DesiredState& desired) {
  assert(!busy_);
  desired_ = desired;
  problems_.clear();
  assign_slots();
  set_capacities();
  intents_ = resolve_intents(desired_, ports_);
  answer_ = wire::Applied{desired_.generation, enforcer_.prepare(intents_)};
  publish();
}

void Configurator::use(std::shared_ptr<Signatures> signatures) {
  assert(!busy_);
  signatures_ = std::move(signatures);
  publish();
}

std::optional<wire::Applied> Configurator::finish() {
  if (!busy_ || !engine_.publisher().settled()) return std::nullopt;
  busy_ = false;
  slots_.release(std::exchange(draining_, {}));
  if (answer_) enforcer_.retire();
  return std::exchange(answer_, std::nullopt);
}

void Configurator::assign_slots() {
  std::set<VmId> wanted;
  for (const auto& vm : desired_.vms) wanted.insert(vm.id);
  std::vector<VmId> gone;
  for (const auto& [vm, slot] : slots_.held())
    if (!wanted.contains(vm)) gone.push_back(vm);
  for (const auto vm : gone) slots_.retire(vm);
  for (const auto vm : wanted)
    if (auto slot = slots_.assign(vm); !slot) problems_.push_back(slot.error().message);
  draining_ = slots_.draining();
}

void Configurator::set_capacities() {
  std::size_t uplink = 0;
  for (const auto& port : ports_) {
    if (port.role != config::PortRole::kUplink) continue;
    std::array<BytesPerSecond, kDirections> capacity{kUnlimited, kUnlimited};
    for (const auto& spec : desired_.uplinks)
      if (spec.port == port.name) capacity = spec.capacity;
    for (std::size_t at = 0; at < kDirections; ++at)
      engine_.residuals()[uplink].directions[at].set_capacity(capacity[at]);
    ++uplink;
  }
}

void Configurator::publish() {
  const SnapshotInput input{
      desired_,   ports_, enforcer_.software_limits(), slots_, static_cast<std::uint16_t>(engine_.workers().size()),
      signatures_};
  engine_.publisher().publish(build_snapshot(input, problems_));
  busy_ = true;
}

}  // namespace foreflow::pipeline
