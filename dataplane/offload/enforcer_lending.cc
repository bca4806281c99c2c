// SPDX-License-Identifier: Apache-2.0
// The Enforcer's part in lending: peaks below what was asked for, so that others may use what is left.
#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/rate_grid.h"

namespace foreflow::offload {
namespace {

wire::Police* police_of(ResolvedIntent& intent) { return std::get_if<wire::Police>(&intent.intent.what); }

}  // namespace

std::vector<std::pair<IntentId, wire::Police>> Enforcer::lendable() const {
  std::vector<std::pair<IntentId, wire::Police>> all;
  if (!lends_) return all;
  for (const auto& [id, intent] : on_device_)
    if (const auto* police = std::get_if<wire::Police>(&intent.intent.what)) all.emplace_back(id, *police);
  return all;
}

// A meter is told only what differs on its grid.
void Enforcer::lend(const std::map<IntentId, BytesPerSecond>& peaks) {
  IntentDelta delta;
  const auto before = lent_;
  for (const auto& [id, peak] : peaks) {
    const auto held = on_device_.find(id);
    if (held == on_device_.end()) continue;
    const auto* police = police_of(held->second);
    if (police == nullptr) continue;
    const auto known = lent_.find(id);
    const auto next = std::clamp(peak, police->cir, police->pir);
    const auto in_force = known != lent_.end() ? known->second : police->pir;
    if (nearest_on_grid(next) == nearest_on_grid(in_force)) continue;
    lent_[id] = next;
    delta.set.push_back(held->second);
  }
  if (delta.set.empty()) return;
  for (const auto& answer : device_->apply(with_lent_peaks(delta))) {
    if (answer.placement == wire::Placement::kHardware) continue;
    log::warning("a peak stays as it is", {{"intent", answer.id.value}, {"reason", answer.reason}});
    lent_.erase(answer.id);
    if (const auto old = before.find(answer.id); old != before.end()) lent_.insert(*old);
  }
}

IntentDelta Enforcer::with_lent_peaks(const IntentDelta& delta) const {
  auto told = delta;
  for (auto& intent : told.set) {
    auto* police = police_of(intent);
    const auto lent = lent_.find(intent.intent.id);
    if (police != nullptr && lent != lent_.end()) police->pir = std::clamp(lent->second, police->cir, police->pir);
  }
  return told;
}

std::optional<std::string> Enforcer::explain(IntentId id) const {
  auto text = device_ ? device_->explain(id) : std::nullopt;
  const auto lent = lent_.find(id);
  if (!text || lent == lent_.end()) return text;
  const auto& police = std::get<wire::Police>(on_device_.at(id).intent.what);
  *text += fmt::format("peak {} now, of {}: others use the rest of the uplink\n", format_rate(lent->second),
                       format_rate(police.pir));
  return text;
}

}  // namespace foreflow::offload
