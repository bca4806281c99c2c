// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/enforcer.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/rate_grid.h"

namespace foreflow::offload {
namespace {

SoftwareLimit software_limit(IntentId id, const wire::Police& police) {
  return {.intent = id,
          .vm = police.vm,
          .direction = police.direction,
          .limit = {.cir = police.cir,
                    .pir = police.pir,
                    .cbs = police.cbs,
                    .pbs = police.pbs,
                    .packets_per_second =
                        police.packets_per_second == 0 ? meter::TwoRate::kAnyPackets : police.packets_per_second,
                    .packet_burst = police.packet_burst},
          .weight = police.weight,
          .shape = police.shape};
}

// What the two rates of a device's meter cannot do; empty when they can.
std::string_view needs_software(const ResolvedIntent& intent) {
  const auto* police = std::get_if<wire::Police>(&intent.intent.what);
  if (police == nullptr) return {};
  if (police->shape) return "the device cannot hold packets back (shape)";
  if (police->packets_per_second != 0) return "the device's meters count bytes, not packets per second";
  if (intent.in_group) return "the device cannot meter against the tenant's cap";
  if (intent.queued && police->direction == Direction::kEgress)
    return "the uplink's queues keep room for what is guaranteed, and the device's meters do not tell what that is";
  return {};
}

const wire::Treatment* treatment_of(const ResolvedIntent& intent) {
  return std::get_if<wire::Treatment>(&intent.intent.what);
}

bool is_bypass(const ResolvedIntent& intent) { return std::holds_alternative<wire::Bypass>(intent.intent.what); }

bool requires_device(const ResolvedIntent& intent) { return intent.intent.demand == wire::Demand::kRequireHardware; }

// One round over the treatments of a VM and direction; true when it drew one into the pipeline.
bool draw_along(const std::vector<const ResolvedIntent*>& treatments, std::map<IntentId, std::string>& reasons) {
  bool drawn = false;
  for (const auto* intent : treatments) {
    const auto id = intent->intent.id;
    if (reasons.contains(id)) continue;
    const auto other = std::find_if(treatments.begin(), treatments.end(), [&](const auto* one) {
      return reasons.contains(one->intent.id) && !requires_device(*one) &&
             may_overlap(*treatment_of(*one), *treatment_of(*intent));
    });
    if (other == treatments.end()) continue;
    reasons.emplace(
        id, fmt::format("rule {} can match the same packets and is in the pipeline", (*other)->intent.id.value));
    drawn = true;
  }
  return drawn;
}

}  // namespace

Enforcer::Enforcer(std::unique_ptr<OffloadBackend> device) : device_(std::move(device)) {}

wire::Capabilities Enforcer::probe(const std::vector<std::uint16_t>& port_ids) {
  wire::Capabilities software{.lending = wire::Lending::kSoftware, .hardware_meters = false, .backend = "software"};
  if (!device_) return software;
  if (const auto removed = device_->reconcile(port_ids); !removed) {
    log::warning("leftovers of a former process stay in the device", {{"reason", removed.error().message}});
  } else if (*removed > 0) {
    log::info("removed leftovers of a former process from the device", {{"meters", *removed}});
  }
  auto found = device_->probe(port_ids);
  device_usable_ = found.hardware_meters;
  lends_ = found.lending == wire::Lending::kHardware;
  return device_usable_ ? found : software;
}

std::vector<wire::IntentResult> Enforcer::prepare(const IntentSet& desired) {
  lost_ = false;
  auto reasons = for_software(desired);
  IntentSet wanted;
  for (const auto& [id, intent] : desired) {
    if (!is_bypass(intent) && !reasons.contains(id)) wanted.emplace(id, intent);
  }
  std::map<IntentId, wire::IntentResult> answers;
  for (auto& answer : apply(wanted)) answers.emplace(answer.id, std::move(answer));
  refused_ = std::ranges::any_of(
      answers, [](const auto& entry) { return entry.second.placement != wire::Placement::kHardware; });
  settle_refusals(desired, answers, reasons);

  software_limits_.clear();
  software_treatments_.clear();
  to_retire_.clear();
  for (const auto& [id, intent] : on_device_) {
    if (!desired.contains(id)) to_retire_.push_back(id);
  }
  for (const auto& [id, intent] : leaving_) to_retire_.push_back(id);
  std::vector<wire::IntentResult> results;
  for (const auto& [id, intent] : desired)
    results.push_back(is_bypass(intent) ? wire::IntentResult{.id = id} : settle(intent, reasons));
  settle_bypasses(desired, results);
  std::erase_if(counters_, [](const auto& entry) { return entry.second.use_count() == 1; });
  return results;
}

// What is not even offered to the device, and why.
Enforcer::Reasons Enforcer::for_software(const IntentSet& desired) const {
  Reasons reasons;
  for (const auto& [id, intent] : desired) {
    if (!intent.impossible.empty())
      reasons.emplace(id, intent.impossible);
    else if (intent.intent.demand == wire::Demand::kSoftware)
      reasons.emplace(id, "");
    else if (!device_usable_)
      reasons.emplace(id,
                      device_ ? "no port of this dataplane has hardware meters" : "no offload device is configured");
    else if (const auto reason = needs_software(intent); !reason.empty())
      reasons.emplace(id, reason);
  }
  follow_to_software(desired, reasons);
  return reasons;
}

// A treatment that shares packets with one in the pipeline has to be there as well.
void Enforcer::follow_to_software(const IntentSet& desired, Reasons& reasons) {
  std::map<std::pair<VmId, Direction>, std::vector<const ResolvedIntent*>> by_vm;
  for (const auto& [id, intent] : desired) {
    if (const auto* treatment = treatment_of(intent); treatment != nullptr && intent.impossible.empty())
      by_vm[{treatment->vm, treatment->direction}].push_back(&intent);
  }
  for (const auto& [where, treatments] : by_vm) {
    while (draw_along(treatments, reasons)) {
    }
  }
}

// What the device does not hold as it is wanted now goes to the pipeline, and draws others along.
void Enforcer::settle_refusals(const IntentSet& desired, const std::map<IntentId, wire::IntentResult>& answers,
                               Reasons& reasons) const {
  for (const auto& [id, intent] : desired) {
    const auto held = on_device_.find(id);
    if (is_bypass(intent) || reasons.contains(id) || (held != on_device_.end() && held->second == intent)) continue;
    const auto answer = answers.find(id);
    reasons.emplace(id, answer != answers.end() ? answer->second.reason : "the device did not answer");
  }
  follow_to_software(desired, reasons);
}

// Gives the device what differs. An intent that it refuses stays there as it was, and differs again the next time.
std::vector<wire::IntentResult> Enforcer::apply(const IntentSet& wanted) {
  auto delta = difference(on_device_, wanted);
  delta.clear.clear();
  if (delta.set.empty()) return {};
  return tell(delta);
}

// A removed meter's counts go with it, so they are read before.
std::vector<wire::IntentResult> Enforcer::tell(const IntentDelta& delta) {
  const bool something_goes = !delta.clear.empty() || !leaving_.empty();
  const auto counted = something_goes ? read_device_stats() : std::vector<DeviceStats>{};
  auto answers = lent_.empty() ? device_->apply(delta) : device_->apply(with_lent_peaks(delta));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto id = answers[i].id;
    if (answers[i].placement == wire::Placement::kHardware) {
      on_device_[id] = delta.set[i];
      achieved_[id] = answers[i];
      if (const auto* police = std::get_if<wire::Police>(&delta.set[i].intent.what); police != nullptr)
        if (lent_.contains(id)) achieved_[id].achieved_pir = nearest_on_grid(police->pir);
      leaving_.erase(id);
    } else if (!on_device_.contains(id) && device_->holds(id)) {
      leaving_[id] = delta.set[i];  // what was begun could not be undone
    }
  }
  for (const auto id : delta.clear) {
    if (auto known = on_device_.extract(id)) leaving_.insert(std::move(known));
    achieved_.erase(id);
    lent_.erase(id);
  }
  forget_gone(counted);
  return answers;
}

void Enforcer::forget_gone(const std::vector<DeviceStats>& counted) {
  for (const auto& last : counted)
    if (leaving_.contains(last.stats.id) && !device_->holds(last.stats.id)) last_stats_.push_back(last);
  std::erase_if(leaving_, [&](const auto& entry) { return !device_->holds(entry.first); });
}

// Where one desired intent is enforced from now on.
wire::IntentResult Enforcer::settle(const ResolvedIntent& intent, const Reasons& reasons) {
  const auto id = intent.intent.id;
  const auto reason = reasons.find(id);
  if (reason == reasons.end()) return achieved_.at(id);
  wire::IntentResult result{.id = id, .placement = wire::Placement::kRefused, .reason = reason->second};
  // What the device enforced before, if anything, stays: an old limit is better than none.
  if (requires_device(intent) || !intent.impossible.empty()) return result;
  result.placement = wire::Placement::kSoftware;
  if (const auto* police = std::get_if<wire::Police>(&intent.intent.what)) {
    result.achieved_cir = police->cir;
    result.achieved_pir = police->pir;
  }
  move_to_software(intent);
  return result;
}

void Enforcer::move_to_software(const ResolvedIntent& intent) {
  const auto id = intent.intent.id;
  if (on_device_.contains(id)) to_retire_.push_back(id);
  if (const auto* police = std::get_if<wire::Police>(&intent.intent.what))
    return software_limits_.push_back(software_limit(id, *police));
  auto& counters = counters_[id];
  if (counters == nullptr) counters = std::make_shared<TreatmentCounters>();
  software_treatments_.push_back({.intent = id,
                                  .priority = intent.intent.priority,
                                  .what = *treatment_of(intent),
                                  .mirror_port = intent.mirror_port,
                                  .steer_port = intent.steer_port,
                                  .counters = counters});
}

void Enforcer::retire() {
  if (to_retire_.empty()) return;
  tell({.set = {}, .clear = std::exchange(to_retire_, {})});
}

std::vector<DeviceStats> Enforcer::read_device_stats() {
  std::vector<DeviceStats> all;
  if (!device_) return all;
  for (const auto& stats : device_->read_stats()) {
    const auto& where = on_device_.contains(stats.id) ? on_device_ : leaving_;
    const auto intent = where.find(stats.id);
    if (intent == where.end()) continue;
    const auto& wish = intent->second.intent;
    all.push_back({stats, wire::vm_of(wish), wire::direction_of(wish),
                   treatment_of(intent->second) != nullptr ? wire::DropCause::kFiltered : wire::DropCause::kPoliced});
  }
  notice_losses();
  return all;
}

// What a reset device has lost is asked of it again, as if it had been refused.
void Enforcer::notice_losses() {
  const auto is_lost = [&](const auto& entry) { return !device_->holds(entry.first); };
  const auto lost = std::erase_if(on_device_, is_lost);
  if (lost == 0) return;
  lost_ = true;
  std::erase_if(achieved_, is_lost);
  std::erase_if(lent_, is_lost);
}

}  // namespace foreflow::offload
