// SPDX-License-Identifier: Apache-2.0
#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "common/address.h"
#include "host/cli/command.h"

namespace foreflow::cli {
namespace {

namespace po = boost::program_options;

void direction_option(po::options_description& own) {
  own.add_options()("direction", po::value<std::string>()->value_name("WAY")->default_value("egress"),
                    "egress (sent by the VM) or ingress");
}

void policy_options(po::options_description& own) {
  auto add = own.add_options();
  add("guarantee", po::value<std::string>()->value_name("RATE"), "rate that is always there, such as 200M");
  add("cap", po::value<std::string>()->value_name("RATE"), "rate that is never exceeded, or unlimited");
  add("weight", po::value<std::int64_t>()->value_name("N"), "share among VMs of the same tier, 0 to 1000000");
  add("packets", po::value<std::int64_t>()->value_name("N"), "packets per second that are never exceeded; 0 = any");
  add("least", po::value<std::string>()->value_name("RATE"), "plan for at least this much, whatever the forecast");
  add("most", po::value<std::string>()->value_name("RATE"), "plan for no more than this much, or unlimited");
  add("burst", po::value<std::string>()->value_name("TIME"), "of the cap: what may come at once, 1ms to 10s");
  add("bypass-after", po::value<std::string>()->value_name("SIZE"),
      "longer flows may leave the CPU for the device: 10MB, '200 packets' or off");
  add("bypass-idle", po::value<std::string>()->value_name("TIME"),
      "beside --bypass-after: they come back after such a silence, 10s");
  add("group", po::value<std::string>()->value_name("NAME"), "a group of the configuration whose cap it shares, or ''");
  add("shape", po::value<bool>()->value_name("on|off"), "hold back for up to 20 ms what would be dropped");
  add("mode", po::value<std::string>()->value_name("MODE"), "observe, recommend or enforce");
  add("tier", po::value<std::string>()->value_name("NAME"), "a tier of the manager's configuration");
  add("direction", po::value<std::string>()->value_name("WAY")->default_value("both"), "egress, ingress or both");
  add("dry-run", "say what would change, and change nothing");
}

void apply_options(po::options_description& own) {
  auto add = own.add_options();
  add("comment", po::value<std::string>()->value_name("TEXT")->default_value(""), "why, for the history");
  add("dry-run", "check it and say what would change, and change nothing");
}

void conn_options(po::options_description& own) {
  auto add = own.add_options();
  add("vm", po::value<std::string>()->value_name("NAME")->default_value(""), "of this VM only");
  add("most", po::value<std::int64_t>()->value_name("N")->default_value(20), "how many, 1 to 100000");
  add("evidence",
      "what each verdict rests on, instead of bytes: what its packets look like, the TLS client (JA4), ECH");
}

void explain_options(po::options_description& own) {
  own.add_options()("at", po::value<std::string>()->value_name("TIME"), "then instead of now, in UTC");
}

void replay_options(po::options_description& own) {
  auto add = own.add_options();
  add("from", po::value<std::string>()->value_name("TIME"), "in UTC; default: the beginning of the log");
  add("to", po::value<std::string>()->value_name("TIME"), "in UTC; default: now");
}

void rule_options(po::options_description& own) {
  own.add_options()("vm", po::value<std::string>()->value_name("NAME")->default_value(""), "of this VM only");
}

}  // namespace

tl::expected<Client*, Failure> Context::manager() {
  if (!client) {
    if (const auto address = parse_peer_address(connection.manager); !address)
      return usage(fmt::format("the manager's address {}", address.error().message));
    auto made = Client::create(connection);
    if (!made) return failure(made.error());
    client = std::move(*made);
  }
  return client.get();
}

tl::expected<std::uint32_t, Failure> number(const Context& context, const std::string& name, std::uint32_t least,
                                            std::uint32_t most) {
  const auto value = context.options[name].as<std::int64_t>();
  if (value >= least && value <= most) return static_cast<std::uint32_t>(value);
  return usage(fmt::format("--{} is {} to {}, not {}", name, least, most, value));
}

const std::vector<Command>& commands() {
  static const std::vector<Command> kCommands{
      {"vm", "list", "", "all VMs with their traffic and allocation", "foreflow vm list", nullptr, vm_list},
      {"vm", "show", "NAME", "everything about one VM", "foreflow vm show web", nullptr, vm_show},
      {"vm", "top", "", "VMs by offered rate, the loudest first", "foreflow vm top --watch", nullptr, vm_top},
      {"dataplane", "list", "", "all dataplanes and whether they are connected", "foreflow dataplane list", nullptr,
       dataplane_list},
      {"dataplane", "show", "NAME", "ports, uplinks, generations, drops and events of one",
       "foreflow dataplane show dpu0", nullptr, dataplane_show},
      {"guest", "list", "", "CPU, memory and disk of all VMs, as their hypervisors see them",
       "foreflow guest list --watch", nullptr, guest_list},
      {"hypervisor", "list", "", "all hypervisors, whether they are read, and what they run",
       "foreflow hypervisor list", nullptr, hypervisor_list},
      {"forecast", "show", "NAME", "recent demand of a VM and what is expected",
       "foreflow forecast show web --direction ingress", direction_option, forecast_show},
      {"allocation", "list", "", "who got how much, and why", "foreflow allocation list -o json", nullptr,
       allocation_list},
      {"policy", "get", "[NAME]", "guarantee, cap, weight and tier", "foreflow policy get web", nullptr, policy_get},
      {"policy", "set", "NAME", "change them: a rule for one VM in the policy",
       "foreflow policy set web --cap 50M --dry-run", policy_options, policy_set, false},
      {"policy", "check", "FILE", "what stands against a policy file, each reason with its lines",
       "foreflow policy check policy.toml", nullptr, policy_check, false},
      {"policy", "diff", "FILE", "what a policy file, or a version by its number, would change",
       "foreflow policy diff policy.toml", nullptr, policy_diff},
      {"policy", "apply", "FILE", "make a policy file, or a version by its number, the policy in force",
       "foreflow policy apply policy.toml --comment 'launch of the shop'", apply_options, policy_apply, false},
      {"policy", "show", "[VERSION]", "the text of the policy in force, or of a version", "foreflow policy show 3",
       nullptr, policy_show},
      {"policy", "history", "", "all versions of the policy: when, by whom, why", "foreflow policy history", nullptr,
       policy_history},
      {"policy", "shadow", "[FILE]", "evaluate a policy file, or a version, beside the one in force; 'off' ends it",
       "foreflow policy shadow policy.toml", nullptr, policy_shadow},
      {"rule", "list", "", "what dataplanes were asked to enforce and what came of it", "foreflow rule list --vm web",
       rule_options, rule_list},
      {"rule", "explain", "ID", "where one rule runs, why there, and what it did", "foreflow rule explain 3", nullptr,
       rule_explain},
      {"explain", "vm", "NAME", "why a VM has the limit it has, and what would be otherwise",
       "foreflow explain vm web --at 2026-12-01T08:00:00Z", explain_options, explain_vm},
      {"audit", "verify", "", "is the log of decisions whole: no block changed, none missing", "foreflow audit verify",
       nullptr, audit_verify, false},
      {"audit", "replay", "", "decide everything of a time again and compare bit for bit",
       "foreflow audit replay --from 2026-12-01 --to 2026-12-02", replay_options, audit_replay, false},
      {"conn", "top", "", "tracked flows with their application, the largest first",
       "foreflow conn top --vm web --most 5", conn_options, conn_top},
      {"signatures", "reload", "[NAME]", "let dataplanes read their signature files again",
       "foreflow signatures reload dpu0", nullptr, signatures_reload, false},
      {"config", "check", "FILE...", "check configurations of the manager",
       "foreflow config check /etc/foreflow/foreflowd.toml", nullptr, config_check, false},
      {"status", "", "", "the manager itself: version, store, reports", "foreflow status", nullptr, show_status},
      {"version", "", "", "the version of this program", "foreflow version", nullptr, show_version, false},
  };
  return kCommands;
}

}  // namespace foreflow::cli
