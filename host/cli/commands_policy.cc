// SPDX-License-Identifier: Apache-2.0
// policy get | set.
#include <fmt/format.h>

#include "host/cli/bypass_text.h"
#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"
#include "host/model/fleet.h"

namespace foreflow::cli {
namespace {

void add_rows(Table& table, const std::string& name, const pb::Policy& policy, const std::string& source) {
  for (const auto& [direction, side] : {std::pair{"egress", &policy.egress()}, std::pair{"ingress", &policy.ingress()}})
    table.add({name, direction, policy.tier(), rate_text(side->guarantee()), rate_text(side->cap()),
               std::to_string(side->weight()), side->packets() == 0 ? "-" : std::to_string(side->packets()),
               policy.group().empty() ? "-" : policy.group(), policy.shape() ? "shape" : "police",
               policy.has_bypass() ? bypass_text(policy.bypass()) : "-", policy.mode(), source});
}

const std::vector<std::string>& columns() {
  static const std::vector<std::string> kColumns{"VM",         "DIRECTION", "TIER",   ">GUARANTEE",   ">CAP", ">WEIGHT",
                                                 ">PACKETS/S", "GROUP",     "EXCESS", "BYPASS AFTER", "MODE", "FROM"};
  return kColumns;
}

tl::expected<pb::LimitPatch, Failure> limit_patch(const Context& context) {
  const auto& options = context.options;
  pb::LimitPatch patch;
  using Set = void (pb::LimitPatch::*)(std::uint64_t);
  for (const auto& [key, set] : {std::pair<const char*, Set>{"guarantee", &pb::LimitPatch::set_guarantee},
                                 {"cap", &pb::LimitPatch::set_cap},
                                 {"least", &pb::LimitPatch::set_least},
                                 {"most", &pb::LimitPatch::set_most}}) {
    if (options.count(key) == 0) continue;
    const auto rate = parse_rate(options[key].as<std::string>());
    if (!rate) return usage(fmt::format("--{}: {}", key, rate.error().message));
    (patch.*set)(rate->value);
  }
  if (options.count("weight") != 0) {
    const auto weight = number(context, "weight", 0, model::kLargestWeight);
    if (!weight) return tl::unexpected(weight.error());
    patch.set_weight(*weight);
  }
  if (options.count("packets") != 0) {
    const auto packets = number(context, "packets", 0, model::kMostPackets);
    if (!packets) return tl::unexpected(packets.error());
    patch.set_packets(*packets);
  }
  return patch;
}

tl::expected<void, Failure> put_bypass(const Context& context, pb::SetPolicyRequest& request) {
  const auto& options = context.options;
  if (options.count("bypass-after") == 0) {
    if (options.count("bypass-idle") != 0) return usage("--bypass-idle stands beside --bypass-after");
    return {};
  }
  auto bypass = model::parse_bypass(options["bypass-after"].as<std::string>());
  if (!bypass) return usage("--bypass-after: " + bypass.error().message);
  if (options.count("bypass-idle") != 0) {
    const auto idle = model::parse_bypass_idle(options["bypass-idle"].as<std::string>());
    if (!idle) return usage("--bypass-idle: " + idle.error().message);
    bypass->idle_seconds = *idle;
  }
  auto& to = *request.mutable_bypass();
  to.set_off(bypass->off);
  to.set_after_bytes(bypass->bytes.value);
  to.set_after_packets(bypass->packets);
  to.set_idle_seconds(bypass->idle_seconds);
  return {};
}

tl::expected<pb::SetPolicyRequest, Failure> request_from(const Context& context) {
  const auto& options = context.options;
  const auto way = options["direction"].as<std::string>();
  if (way != "egress" && way != "ingress" && way != "both")
    return usage("--direction is egress, ingress or both, not '" + way + "'");
  const auto patch = limit_patch(context);
  if (!patch) return tl::unexpected(patch.error());
  pb::SetPolicyRequest request;
  request.set_vm(context.argument());
  request.set_dry_run(options.count("dry-run") != 0);
  if (options.count("tier") != 0) request.set_tier(options["tier"].as<std::string>());
  if (options.count("group") != 0) request.set_group(options["group"].as<std::string>());
  if (options.count("shape") != 0) request.set_shape(options["shape"].as<bool>());
  if (options.count("burst") != 0) {
    const auto burst = parse_duration(options["burst"].as<std::string>());
    if (!burst) return usage("--burst: " + burst.error().message);
    request.set_burst_ns(*burst);
  }
  if (const auto bypass = put_bypass(context, request); !bypass) return tl::unexpected(bypass.error());
  if (options.count("mode") != 0) {
    const auto mode = options["mode"].as<std::string>();
    if (mode != "observe" && mode != "recommend" && mode != "enforce")
      return usage("--mode is observe, recommend or enforce, not '" + mode + "'");
    request.set_mode(mode);
  }
  const bool limits = patch->ByteSizeLong() != 0;
  if (!limits && !request.has_tier() && !request.has_group() && !request.has_shape() && !request.has_burst_ns() &&
      !request.has_mode() && !request.has_bypass())
    return usage(
        "nothing to set: give at least one of --guarantee, --cap, --least, --most, --weight, --packets, --burst, "
        "--bypass-after, --tier, --group, --shape, --mode");
  if (limits && way != "ingress") *request.mutable_egress() = *patch;
  if (limits && way != "egress") *request.mutable_ingress() = *patch;
  return request;
}

}  // namespace

Outcome policy_get(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->vms(context.argument());
  if (!list) return failure(list.error());
  auto json = nlohmann::ordered_json::array();
  Table table(columns());
  for (const auto& vm : list->vms()) {
    nlohmann::ordered_json row{{"vm", vm.name()}};
    row.update(to_json(vm.policy()));
    row["set_at_run_time"] = vm.policy_changed();
    json.push_back(std::move(row));
    add_rows(table, vm.name(), vm.policy(), vm.policy_changed() ? "policy" : "configuration");
  }
  if (!context.json) return table.text();
  return text_of(context.argument().empty() ? json : json.front());
}

Outcome policy_set(Context& context) {
  const auto request = request_from(context);
  if (!request) return tl::unexpected(request.error());
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto change = (*manager)->set_policy(*request);
  if (!change) return failure(change.error());
  if (context.json) return text_of(to_json(*change));
  Table table(columns());
  add_rows(table, request->vm(), change->before(), "before");
  add_rows(table, request->vm(), change->after(), change->applied() ? "now" : "would be");
  return table.text() + (change->applied() ? "" : "dry run: nothing was changed\n");
}

}  // namespace foreflow::cli
