// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/rte_flow_backend.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "common/log.h"
#include "dataplane/offload/groups.h"
#include "dataplane/offload/rate_grid.h"

namespace foreflow::offload {
namespace {

const wire::Police& police_of(const ResolvedIntent& intent) { return std::get<wire::Police>(intent.intent.what); }

meter::TwoRate limit_of(const wire::Police& police) {
  return {.cir = police.cir, .pir = police.pir, .cbs = police.cbs, .pbs = police.pbs};
}

std::uint32_t group_of(Direction direction) { return direction == Direction::kEgress ? kFromVmGroup : kToVmGroup; }

// The matches through which all packets of the VM in the intent's direction pass, sorted.
std::vector<RuleMatch> matches_of(const ResolvedIntent& intent) {
  std::set<RuleMatch> matches;
  for (const auto& attachment : intent.attachments) {
    if (police_of(intent).direction == Direction::kEgress) {
      matches.insert({.port_id = attachment.port_id, .source = attachment.mac, .segment = attachment.segment});
      continue;
    }
    for (const auto port : intent.source_ports) {
      matches.insert({.port_id = port, .destination = attachment.mac, .segment = attachment.segment});
    }
  }
  return {matches.begin(), matches.end()};
}

Status check_expressible(const ResolvedIntent& intent) {
  constexpr std::uint32_t kLargestVlan = 4094;
  const auto& police = police_of(intent);
  if (police.pir < police.cir) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("peak rate {} is below the committed rate {}",
                                                         format_rate(police.pir), format_rate(police.cir)));
  }
  if (intent.allow_foreign_mac && police.direction == Direction::kEgress) {
    return fail(ErrorCode::kUnsupported, "the VM may send from any MAC address, rules tell VMs apart by it");
  }
  for (const auto& attachment : intent.attachments) {
    if (attachment.segment.value > kLargestVlan) {
      return fail(ErrorCode::kUnsupported, "tunnelled segments are metered in software; rules match VLANs only");
    }
  }
  if (matches_of(intent).empty()) {
    return fail(ErrorCode::kNotFound, fmt::format("VM {} has no port on which rules could match", police.vm.value));
  }
  return {};
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
      result.achieved_cir = nearest_on_grid(police_of(intent).cir);
      result.achieved_pir = nearest_on_grid(police_of(intent).pir);
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
  sweep_routes();
  return results;
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
  const auto it = installed_.find(intent.intent.id);
  if (it == installed_.end()) return install(intent, **domain);
  // Another direction or device is another meter: there is nothing to keep.
  if (it->second.domain != *domain || police_of(it->second.resolved).direction != police_of(intent).direction) {
    if (auto cleared = clear(it->second); !cleared) return cleared;
    installed_.erase(it);
    return install(intent, **domain);
  }
  return change(it->second, intent);
}

Status RteFlowBackend::install(const ResolvedIntent& intent, TransferDomain& domain) {
  const auto& police = police_of(intent);
  const auto meter = domain.create_meter(limit_of(police), group_of(police.direction) + 1);
  if (!meter) return tl::unexpected(meter.error());
  Installed installed{.domain = &domain, .resolved = intent, .meter = *meter, .last = {.id = intent.intent.id}};
  if (auto created = create_rules(installed, matches_of(intent)); !created) {
    if (!clear(installed)) {
      // Undoing failed as well: remembered, and tried again with the next change.
      installed.clearing = true;
      installed_.emplace(intent.intent.id, std::move(installed));
    }
    return created;
  }
  installed_.emplace(intent.intent.id, std::move(installed));
  return {};
}

Status RteFlowBackend::change(Installed& installed, const ResolvedIntent& intent) {
  const auto wanted = matches_of(intent);
  const auto before = matches_of(installed.resolved);
  if (auto created = create_rules(installed, wanted); !created) return created;
  const auto limit = limit_of(police_of(intent));
  if (limit != limit_of(police_of(installed.resolved)) || installed.clearing) {
    if (auto updated = installed.domain->update_meter(installed.meter, limit); !updated) {
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
  return installed.domain->destroy_meter(installed.meter);
}

}  // namespace foreflow::offload
