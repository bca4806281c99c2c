// SPDX-License-Identifier: Apache-2.0
// The commands of `foreflow`, as one table that help, parsing and tests read.
// Place: host/cli.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/variables_map.hpp>

#include "host/cli/client.h"
#include "host/cli/exit.h"

namespace foreflow::cli {

// What a command runs with.
struct Context {
  Connection connection;
  bool json = false;
  std::vector<std::string> arguments;             // after noun and verb
  boost::program_options::variables_map options;  // the command's own
  std::unique_ptr<Client> client;                 // made by the first call of manager()

  // The connection to the manager.
  tl::expected<Client*, Failure> manager();
  std::string argument() const { return arguments.empty() ? "" : arguments.front(); }
};

struct Command {
  std::string_view noun;
  std::string_view verb;      // empty: the noun alone is the command
  std::string_view argument;  // "", "NAME", "[NAME]" or "FILE..."
  std::string_view summary;
  std::string_view example;
  void (*options)(boost::program_options::options_description& own);  // null = none
  Outcome (*run)(Context& context);
  bool watchable = true;  // it only looks, so it may be repeated
};

const std::vector<Command>& commands();

// The integer option `name` within its bounds. Signed, since "-1" read as unsigned would be a large number.
tl::expected<std::uint32_t, Failure> number(const Context& context, const std::string& name, std::uint32_t least,
                                            std::uint32_t most);

// One function per command, in the files commands_*.cc.
Outcome vm_list(Context& context);
Outcome vm_show(Context& context);
Outcome vm_top(Context& context);
Outcome dataplane_list(Context& context);
Outcome dataplane_show(Context& context);
Outcome guest_list(Context& context);
Outcome hypervisor_list(Context& context);
Outcome forecast_show(Context& context);
Outcome allocation_list(Context& context);
Outcome policy_get(Context& context);
Outcome policy_set(Context& context);
Outcome policy_check(Context& context);
Outcome policy_apply(Context& context);
Outcome policy_diff(Context& context);
Outcome policy_show(Context& context);
Outcome policy_history(Context& context);
Outcome policy_shadow(Context& context);
Outcome rule_list(Context& context);
Outcome rule_explain(Context& context);
Outcome conn_top(Context& context);
Outcome explain_vm(Context& context);
Outcome audit_verify(Context& context);
Outcome audit_replay(Context& context);
Outcome signatures_reload(Context& context);
Outcome config_check(Context& context);
Outcome show_status(Context& context);
Outcome show_version(Context& context);

}  // namespace foreflow::cli
