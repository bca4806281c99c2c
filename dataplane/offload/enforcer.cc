// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/enforcer.h"

#include <algorithm>
#include <utility>

#include "common/log.h"

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
  const auto& police = std::get<wire::Police>(intent.intent.what);
  if (police.shape) return "the device cannot hold packets back (shape)";
  if (police.packets_per_second != 0) return "the device's meters count bytes, not packets per second";
  if (intent.in_group) return "the device cannot meter against the tenant's cap";
  return {};
}

bool is_for_software(const ResolvedIntent& intent) {
  return intent.intent.demand == wire::Demand::kSoftware || !needs_software(intent).empty();
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
  return device_usable_ ? found : software;
}

std::vector<wire::IntentResult> Enforcer::prepare(const IntentSet& desired) {
  IntentSet wanted;
  for (const auto& [id, intent] : desired) {
    if (device_usable_ && !is_for_software(intent)) wanted.emplace(id, intent);
  }
  std::map<IntentId, wire::IntentResult> answers;
  for (auto& answer : apply(wanted)) answers.emplace(answer.id, std::move(answer));

  software_limits_.clear();
  to_retire_.clear();
  for (const auto& [id, intent] : on_device_) {
    if (!desired.contains(id)) to_retire_.push_back(id);
  }
  for (const auto& [id, intent] : leaving_) to_retire_.push_back(id);
  std::vector<wire::IntentResult> results;
  for (const auto& [id, intent] : desired) results.push_back(settle(intent, answers));
  return results;
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
  auto answers = device_->apply(delta);
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto id = answers[i].id;
    if (answers[i].placement == wire::Placement::kHardware) {
      on_device_[id] = delta.set[i];
      achieved_[id] = answers[i];
      leaving_.erase(id);
    } else if (!on_device_.contains(id) && device_->holds(id)) {
      leaving_[id] = delta.set[i];  // what was begun could not be undone
    }
  }
  for (const auto id : delta.clear) {
    if (auto known = on_device_.extract(id)) leaving_.insert(std::move(known));
    achieved_.erase(id);
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
wire::IntentResult Enforcer::settle(const ResolvedIntent& intent,
                                    const std::map<IntentId, wire::IntentResult>& answers) {
  const auto id = intent.intent.id;
  const auto& police = std::get<wire::Police>(intent.intent.what);
  const auto on_device = on_device_.find(id);
  const bool demands_software = intent.intent.demand == wire::Demand::kSoftware;
  if (!is_for_software(intent) && on_device != on_device_.end() && on_device->second == intent) return achieved_.at(id);

  wire::IntentResult result{.id = id, .achieved_cir = police.cir, .achieved_pir = police.pir};
  if (const auto answer = answers.find(id); answer != answers.end()) {
    result.reason = answer->second.reason;
  } else if (!demands_software) {
    if (const auto reason = needs_software(intent); device_usable_ && !reason.empty())
      result.reason = reason;
    else
      result.reason = device_ ? "no port of this dataplane has hardware meters" : "no offload device is configured";
  }
  if (intent.intent.demand == wire::Demand::kRequireHardware) {
    // What the device enforced before, if anything, stays: an old limit is better than none.
    result.placement = wire::Placement::kRefused;
    result.achieved_cir = result.achieved_pir = BytesPerSecond{};
    return result;
  }
  result.placement = wire::Placement::kSoftware;
  software_limits_.push_back(software_limit(id, police));
  if (on_device != on_device_.end()) to_retire_.push_back(id);
  return result;
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
    const auto& police = std::get<wire::Police>(intent->second.intent.what);
    all.push_back({stats, police.vm, police.direction});
  }
  return all;
}

std::optional<std::string> Enforcer::explain(IntentId id) const {
  return device_ ? device_->explain(id) : std::nullopt;
}

}  // namespace foreflow::offload
