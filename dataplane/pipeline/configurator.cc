// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/configurator.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "dataplane/pipeline/resolve.h"

namespace foreflow::pipeline {
namespace {

constexpr auto kProblem = "desired_state_problem";

// How long a rate takes for a burst; at most ten seconds, since no bucket is deeper.
std::uint64_t duration(Bytes burst, BytesPerSecond rate) {
  const auto exact =
      static_cast<unsigned __int128>(burst.value) * kNanosPerSecond / std::max<std::uint64_t>(rate.value, 1);
  return static_cast<std::uint64_t>(std::min<unsigned __int128>(exact, 10 * kNanosPerSecond));
}

}  // namespace

void Configurator::begin(const wire::DesiredState& desired) {
  retry_.rest();
  retrying_ = false;
  follow(desired);
}

bool Configurator::retry(std::uint64_t now_ns) {
  if (!enforcer_.unsettled()) {
    retry_.rest();
    return false;
  }
  if (!retry_.due(now_ns)) return false;
  retrying_ = true;
  follow(wire::DesiredState(desired_));  // which follow() replaces
  return true;
}

void Configurator::follow(const wire::DesiredState& desired) {
  assert(!busy_);
  desired_ = desired;
  problems_.clear();
  assign_slots();
  set_capacities();
  set_group_caps();
  intents_ = resolve_intents(desired_, ports_);
  answer_ = wire::Applied{desired_.generation, enforcer_.prepare(intents_)};
  recall_flows();
  publish();
}

void Configurator::use(std::shared_ptr<Signatures> signatures) {
  assert(!busy_);
  signatures_ = std::move(signatures);
  publish();
}

void Configurator::use(std::vector<port::Port> ports) {
  ports_ = std::move(ports);
  begin(wire::DesiredState(desired_));  // begin() replaces what its argument must outlive
}

std::optional<wire::Applied> Configurator::finish() {
  if (!busy_ || !engine_.publisher().settled()) return std::nullopt;
  busy_ = false;
  slots_.release(std::exchange(draining_, {}));
  if (!answer_) return std::nullopt;
  enforcer_.retire();
  auto answer = std::exchange(answer_, std::nullopt);
  if (std::exchange(retrying_, false) && answer->results == told_) return std::nullopt;
  told_ = answer->results;
  return answer;
}

void Configurator::lend(std::uint64_t now_ns) {
  const auto is_uplink = [](const port::Port& port) { return port.role == config::PortRole::kUplink; };
  peak_lender_.turn(slots_, static_cast<std::size_t>(std::ranges::count_if(ports_, is_uplink)), now_ns);
}

void Configurator::assign_slots() {
  std::set<VmId> wanted;
  for (const auto& vm : desired_.vms) wanted.insert(vm.id);
  std::vector<VmId> gone;
  for (const auto& [vm, slot] : slots_.held())
    if (!wanted.contains(vm)) gone.push_back(vm);
  for (const auto vm : gone) slots_.retire(vm);
  for (const auto vm : wanted)
    if (auto slot = slots_.assign(vm); !slot) problems_.push_back({kProblem, slot.error().message});
  draining_ = slots_.draining();
}

void Configurator::set_capacities() {
  std::size_t uplink = 0;
  queued_uplinks_ = 0;
  for (const auto& port : ports_) {
    if (port.role != config::PortRole::kUplink) continue;
    std::array<BytesPerSecond, kDirections> capacity{kUnlimited, kUnlimited};
    for (const auto& spec : desired_.uplinks) {
      if (spec.port != port.name) continue;
      capacity = spec.capacity;
      set_queues(uplink, spec);
    }
    for (std::size_t at = 0; at < kDirections; ++at)
      engine_.limits().uplinks[uplink].residuals[at].set_capacity(capacity[at]);
    ++uplink;
  }
}

// Before the snapshot that sends anything there.
void Configurator::set_queues(std::size_t uplink, const wire::UplinkSpec& spec) {
  if (has_queues(spec)) {
    engine_.uplink_queues()[uplink]->configure(*spec.queueing, spec.capacity[index(Direction::kEgress)]);
    queued_uplinks_ |= 1u << uplink;
  } else if (spec.queueing) {
    problems_.push_back({kProblem, fmt::format("uplink '{}': without an egress capacity nothing can wait for it in "
                                               "queues",
                                               spec.port)});
  }
}

// A group that stays keeps its slot, and so its level. The bucket is as deep as the burst lasts at the cap.
void Configurator::set_group_caps() {
  std::map<std::string, GroupSlot> groups;
  std::set<GroupSlot> taken;
  for (const auto& spec : desired_.groups)
    if (const auto known = groups_.find(spec.name); known != groups_.end())
      taken.insert(groups.insert(*known).first->second);
  GroupSlot next = 0;
  for (const auto& spec : desired_.groups) {
    auto& limits = engine_.limits().groups;
    while (taken.contains(next)) ++next;
    if (!groups.contains(spec.name) && next == limits.size()) {
      problems_.push_back({kProblem, fmt::format("group '{}': all {} are taken", spec.name, limits.size())});
      continue;
    }
    if (groups.try_emplace(spec.name, next).second) taken.insert(next);
    for (std::size_t at = 0; at < kDirections; ++at)
      limits[groups.at(spec.name)].residuals[at].set_capacity(spec.cap[at], duration(spec.burst[at], spec.cap[at]));
  }
  groups_ = std::move(groups);
}

// Flows come back before the meter that holds them may go.
void Configurator::recall_flows() {
  auto* device = enforcer_.flows();
  if (device == nullptr) return;
  bypasser_.retain(*device, [this](const auto& request) { return may_bypass(request); });
}

// Its VM is where it was, lets flows of this application go, and no rule of the pipeline is meant for them.
bool Configurator::may_bypass(const BypassRequest& request) const {
  const auto bypasses = enforcer_.bypasses().find(request.vm);
  if (bypasses == enforcer_.bypasses().end()) return false;
  if (offload::bypass_for(bypasses->second, request.category) == nullptr) return false;
  if (offload::treated_categories(enforcer_.software_treatments(), request.vm)[index(request.category)]) return false;
  const auto has_place = [&](const offload::ResolvedIntent& intent) {
    return wire::vm_of(intent.intent) == request.vm &&
           std::ranges::any_of(intent.attachments, [&](const auto& attachment) {
             return attachment.port_id == request.vm_port && attachment.mac == request.vm_mac;
           });
  };
  return std::ranges::any_of(ports_, [&](const port::Port& port) { return port.id == request.uplink_port; }) &&
         std::ranges::any_of(intents_, [&](const auto& entry) { return has_place(entry.second); });
}

void Configurator::publish() {
  const SnapshotInput input{desired_,
                            ports_,
                            enforcer_.software_limits(),
                            slots_,
                            static_cast<std::uint16_t>(engine_.workers().size()),
                            signatures_,
                            groups_,
                            enforcer_.software_treatments(),
                            &enforcer_.bypasses(),
                            queued_uplinks_,
                            enforcer_.marked()};
  std::vector<std::string> found;
  engine_.publisher().publish(build_snapshot(input, found));
  for (auto& text : found) problems_.push_back({kProblem, std::move(text)});
  busy_ = true;
}

}  // namespace foreflow::pipeline
