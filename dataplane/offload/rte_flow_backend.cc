// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/rte_flow_backend.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/intent_rules.h"
#include "dataplane/offload/rate_grid.h"

namespace foreflow::offload {
namespace {

bool is_police(const ResolvedIntent& intent) { return std::holds_alternative<wire::Police>(intent.intent.what); }

const wire::Police& police_of(const ResolvedIntent& intent) { return std::get<wire::Police>(intent.intent.what); }

meter::TwoRate limit_of(const wire::Police& police) {
  return {.cir = police.cir, .pir = police.pir, .cbs = police.cbs, .pbs = police.pbs};
}

// The same meter can go on, or the same rules.
bool can_change(const ResolvedIntent& from, const ResolvedIntent& to) {
  return is_police(from) && is_police(to) && police_of(from).direction == police_of(to).direction;
}

}  // namespace

std::vector<wire::IntentResult> RteFlowBackend::apply(const IntentDelta& delta) {
  std::vector<wire::IntentResult> results;
  for (const auto& intent : delta.set) {
    wire::IntentResult result{.id = intent.intent.id};
    if (const auto done = set(intent); !done) {
      result.reason = done.error().message;
    } else {
      result.placement = wire::Placement::kHardware;
      if (is_police(intent)) {
        result.achieved_cir = nearest_on_grid(police_of(intent).cir);
        result.achieved_pir = nearest_on_grid(police_of(intent).pir);
      }
    }
    results.push_back(std::move(result));
  }
  for (const auto id : delta.clear) {
    if (const auto it = installed_.find(id); it != installed_.end()) it->second.clearing = true;
  }
  for (auto it = installed_.begin(); it != installed_.end();) {
    if (!it->second.clearing) {
      ++it;
    } else if (const auto cleared = clear(it->second); cleared) {
      it = installed_.erase(it);
    } else {
      log::warning("the device keeps an intent that is no longer wanted",
                   {{"intent", it->first.value}, {"reason", cleared.error().message}});
      ++it;
    }
  }
  std::erase_if(leftovers_, [this](Installed& leftover) { return clear(leftover).has_value(); });
  sweep_routes();
  return results;
}

bool RteFlowBackend::holds(IntentId id) const {
  return installed_.contains(id) || std::any_of(leftovers_.begin(), leftovers_.end(), [&](const Installed& leftover) {
           return leftover.resolved.intent.id == id;
         });
}

Result<TransferDomain*> RteFlowBackend::domain_of(const ResolvedIntent& intent) const {
  TransferDomain* domain = nullptr;
  for (const auto& match : matches_of(intent)) {
    const auto found = usable_.find(match.port_id);
    if (found == usable_.end()) {
      const auto why = unusable_.find(match.port_id);
      return fail(ErrorCode::kUnsupported,
                  why != unusable_.end() ? why->second : fmt::format("port {} has not been probed", match.port_id));
    }
    if (domain != nullptr && domain != found->second) {
      return fail(ErrorCode::kUnsupported,
                  fmt::format("the VM's packets pass two eSwitches (proxy ports {} and {}), a meter belongs to one",
                              domain->proxy(), found->second->proxy()));
    }
    domain = found->second;
  }
  return domain;
}

Status RteFlowBackend::set(const ResolvedIntent& intent) {
  if (auto expressible = check_expressible(intent); !expressible) return expressible;
  const auto domain = domain_of(intent);
  if (!domain) return tl::unexpected(domain.error());
  if (auto told = can_steer(intent); !told) return told;
  const auto it = installed_.find(intent.intent.id);
  if (it == installed_.end()) return install(intent, **domain);
  if (it->second.domain == *domain && can_change(it->second.resolved, intent)) return change(it->second, intent);
  return replace(it->second, intent, **domain);
}

Status RteFlowBackend::can_steer(const ResolvedIntent& intent) const {
  if (!steers(intent)) return {};
  for (const auto& match : matches_of(intent))
    if (const auto why = no_metadata_.find(match.port_id); why != no_metadata_.end())
      return fail(ErrorCode::kUnsupported,
                  fmt::format("the device cannot tell the pipeline where to steer a packet: {}", why->second));
  return {};
}

Status RteFlowBackend::install(const ResolvedIntent& intent, TransferDomain& domain) {
  auto made = make(intent, domain);
  if (!made) return tl::unexpected(made.error());
  installed_.emplace(intent.intent.id, std::move(*made));
  return {};
}

// New rules stand beside the old ones, then the old ones go: packets find one or the other.
Status RteFlowBackend::replace(Installed& installed, const ResolvedIntent& intent, TransferDomain& domain) {
  auto made = make(intent, domain);
  if (!made) return tl::unexpected(made.error());
  auto old = std::exchange(installed, std::move(*made));
  const bool cleared = clear(old).has_value();
  if (!is_police(intent) && !is_police(old.resolved)) {
    installed.before = old.before;
    auto& packets = drops_all(old.resolved) ? installed.before.dropped_packets : installed.before.passed_packets;
    auto& bytes = drops_all(old.resolved) ? installed.before.dropped_bytes : installed.before.passed_bytes;
    packets += old.of_removed_rules.packets;
    bytes += old.of_removed_rules.bytes;
  }
  if (!cleared) leftovers_.push_back(std::move(old));
  return {};
}

Result<RteFlowBackend::Installed> RteFlowBackend::make(const ResolvedIntent& intent, TransferDomain& domain) {
  Installed made{.domain = &domain, .resolved = intent, .last = {.id = intent.intent.id}};
  if (is_police(intent)) {
    const auto meter = domain.create_meter(limit_of(police_of(intent)), group_of(intent) + 1);
    if (!meter) return tl::unexpected(meter.error());
    made.meter = *meter;
  }
  auto created = create_rules(made, matches_of(intent));
  if (created) return made;
  // Where undoing fails as well it is remembered, and tried again with the next change.
  if (!clear(made)) leftovers_.push_back(std::move(made));
  return tl::unexpected(created.error());
}

Status RteFlowBackend::change(Installed& installed, const ResolvedIntent& intent) {
  const auto wanted = matches_of(intent);
  const auto before = matches_of(installed.resolved);
  if (auto created = create_rules(installed, wanted); !created) return created;
  const auto limit = limit_of(police_of(intent));
  if (limit != limit_of(police_of(installed.resolved)) || installed.clearing) {
    if (auto updated = installed.domain->update_meter(*installed.meter, limit); !updated) {
      // Rules that the old intent did not have go again; one that stays only carries the old meter.
      if (const auto undone = destroy_rules(installed, before); !undone) {
        log::warning("a refused intent left rules behind", {{"reason", undone.error().message}});
      }
      return updated;
    }
  }
  installed.resolved = intent;
  installed.clearing = false;
  return destroy_rules(installed, wanted);
}

// All of `wanted` that are missing, or none.
Status RteFlowBackend::create_rules(Installed& installed, const std::vector<RuleMatch>& wanted) {
  std::vector<RuleMatch> before;
  for (const auto& [match, rule] : installed.rules) before.push_back(match);
  for (const auto& match : wanted) {
    if (installed.rules.contains(match)) continue;
    if (auto created = create_rule(installed, match); !created) {
      if (const auto undone = destroy_rules(installed, before); !undone) {
        log::warning("a refused intent left rules behind", {{"reason", undone.error().message}});
      }
      return created;
    }
  }
  return {};
}

Status RteFlowBackend::destroy_rules(Installed& installed, const std::vector<RuleMatch>& kept) {
  for (auto rule = installed.rules.begin(); rule != installed.rules.end();) {
    const auto next = std::next(rule);
    if (!std::binary_search(kept.begin(), kept.end(), rule->first)) {
      if (auto destroyed = destroy_rule(installed, rule); !destroyed) return destroyed;
    }
    rule = next;
  }
  return {};
}

Status RteFlowBackend::clear(Installed& installed) {
  if (auto destroyed = destroy_rules(installed, {}); !destroyed) return destroyed;
  return installed.meter ? installed.domain->destroy_meter(*installed.meter) : Status{};
}

}  // namespace foreflow::offload
