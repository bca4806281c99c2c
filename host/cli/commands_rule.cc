// SPDX-License-Identifier: Apache-2.0
// rule list | explain.
#include <charconv>

#include <fmt/format.h>

#include "host/cli/bypass_text.h"
#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

const char* name_of(pb::Direction direction) { return direction == pb::INGRESS ? "ingress" : "egress"; }

std::string where(const pb::Rule& rule) {
  if (!rule.answered()) return "not answered yet by the dataplane";
  if (rule.placement() == "hw") return "in hardware";
  if (rule.placement() == "sw") return "in software, in the dataplane's pipeline";
  return "nowhere: refused";
}

// How far what a meter can hold lies from what was asked.
std::string achieved(std::uint64_t asked, std::uint64_t got) {
  if (asked == 0 || asked == got) return fmt::format("{}, as asked", rate_text(got));
  const double error = (static_cast<double>(got) - static_cast<double>(asked)) / static_cast<double>(asked);
  return fmt::format("{} ({:+.2f} %, the nearest that a meter can hold)", rate_text(got), 100 * error);
}

std::string lending(const pb::Dataplane& dataplane) {
  if (dataplane.lending() != "none") return fmt::format("unused guarantees are lent in {}", dataplane.lending());
  return "no lending in this device: the peak is what is certain to be free (hard mode)";
}

bool is_limit(const pb::Rule& rule) { return rule.kind() == "police"; }

std::string action(const pb::Rule& rule) {
  auto text = rule.kind();
  if (rule.has_dscp()) text += fmt::format(", DSCP {}", rule.dscp());
  if (!rule.steer_port().empty()) text += fmt::format(", to {}", rule.steer_port());
  if (rule.has_queue()) text += fmt::format(", queue {}", rule.queue());
  if (rule.queue_group() != 0) text += fmt::format(", isolated queues {}", rule.queue_group());
  if (!rule.mirror_port().empty()) text += fmt::format(", 1 in {} to {}", rule.mirror_one_in(), rule.mirror_port());
  if (rule.has_bypass())
    text += fmt::format(" after {}, back after {} s", bypass_text(rule.bypass()), rule.bypass().idle_seconds());
  return text;
}

// Which part of the VM's.
std::string traffic_of(const pb::Rule& rule) {
  if (rule.match().empty()) return rule.category().empty() ? "-" : rule.category();
  return rule.category().empty() ? rule.match() : rule.match() + ", " + rule.category();
}

std::string asked(const pb::Rule& rule) {
  if (is_limit(rule))
    return fmt::format("committed {}, peak {}", rate_text(rule.asked_cir()), rate_text(rule.asked_pir()));
  const auto traffic = traffic_of(rule);
  return traffic == "-" ? action(rule) : fmt::format("{} of {} traffic", action(rule), traffic);
}

std::string text(const pb::Rule& rule, const pb::Dataplane& dataplane) {
  auto out = fmt::format("rule {}: {} what VM {} {}, on {}\nasked      {}; {}\nruns       {}\n", rule.id(), rule.kind(),
                         rule.vm(), rule.direction() == pb::INGRESS ? "receives" : "sends", rule.dataplane(),
                         asked(rule), rule.demand(), where(rule));
  if (!rule.reason().empty()) out += fmt::format("because    {}\n", printable(rule.reason()));
  if (is_limit(rule) && rule.answered() && rule.placement() != "refused")
    out += fmt::format("committed  {}\npeak       {}\n", achieved(rule.asked_cir(), rule.achieved_cir()),
                       achieved(rule.asked_pir(), rule.achieved_pir()));
  return out + fmt::format("passed     {} in {} packets\ndropped    {} in {} packets\ndevice     {}; {}\n",
                           format_bytes(Bytes{rule.passed_bytes()}), rule.passed_packets(),
                           format_bytes(Bytes{rule.dropped_bytes()}), rule.dropped_packets(),
                           printable(dataplane.backend()), lending(dataplane));
}

std::optional<std::uint64_t> rule_id(const std::string& word) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return id;
}

}  // namespace

Outcome rule_list(Context& context) {
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->rules(context.options["vm"].as<std::string>());
  if (!list) return failure(list.error());
  if (context.json) return text_of(to_json_array(list->rules()));
  Table table({">ID", "DATAPLANE", "VM", "DIRECTION", "KIND", "TRAFFIC", ">ASKED", ">UP TO", ">ACHIEVED", ">UP TO",
               "WHERE", ">PASSED", ">DROPPED", ">PACKETS DROPPED", "REASON"});
  for (const auto& rule : list->rules()) {
    const auto rate = [&](std::uint64_t bytes) { return is_limit(rule) ? rate_text(bytes) : std::string("-"); };
    const auto achieved = [&](std::uint64_t bytes) { return rule.answered() ? rate(bytes) : std::string("-"); };
    table.add({std::to_string(rule.id()), rule.dataplane(), rule.vm(), name_of(rule.direction()), action(rule),
               traffic_of(rule), rate(rule.asked_cir()), rate(rule.asked_pir()), achieved(rule.achieved_cir()),
               achieved(rule.achieved_pir()), rule.placement(), format_bytes(Bytes{rule.passed_bytes()}),
               format_bytes(Bytes{rule.dropped_bytes()}), std::to_string(rule.dropped_packets()),
               rule.reason().empty() ? "-" : rule.reason()});
  }
  return table.text();
}

Outcome rule_explain(Context& context) {
  const auto id = rule_id(context.argument());
  if (!id) return usage(fmt::format("'{}' is no rule; 'foreflow rule list' shows their numbers", context.argument()));
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto list = (*manager)->rules("");
  if (!list) return failure(list.error());
  // Each dataplane numbers its own.
  std::string all;
  auto found = pb::RuleList{};
  for (const auto& rule : list->rules()) {
    if (rule.id() != *id) continue;
    const auto dataplanes = (*manager)->dataplanes(rule.dataplane());
    if (!dataplanes) return failure(dataplanes.error());
    all += (all.empty() ? "" : "\n") + text(rule, dataplanes->dataplanes(0));
    *found.add_rules() = rule;
  }
  if (all.empty()) return failure({ErrorCode::kNotFound, fmt::format("there is no rule {}", *id)});
  return context.json ? text_of(to_json_array(found.rules())) : all;
}

}  // namespace foreflow::cli
