// SPDX-License-Identifier: Apache-2.0
#include "host/cli/help.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "common/toml_reader.h"

namespace foreflow::cli {
namespace {

namespace po = boost::program_options;

std::string words_of(const Command& command) {
  std::string text(command.noun);
  if (!command.verb.empty()) text.append(" ").append(command.verb);
  return text;
}

std::string usage_of(const Command& command) {
  auto text = words_of(command);
  if (!command.argument.empty()) text.append(" ").append(command.argument);
  return text;
}

std::string lines(const std::string& noun) {
  std::string text;
  for (const auto& command : commands())
    if (noun.empty() || command.noun == noun) text += fmt::format("  {:<22}{}\n", usage_of(command), command.summary);
  return text;
}

template <typename T>
std::string printed(const T& description) {
  std::ostringstream text;
  text << description;
  return text.str();
}

// Without the options that make no sense for a command that runs once.
po::options_description options_for(const Command& command, const po::options_description& globals) {
  po::options_description fitting("Options of all commands");
  for (const auto& option : globals.options())
    if (command.watchable || option->long_name() != "watch") fitting.add(option);
  return fitting;
}

}  // namespace

std::string general_help(const boost::program_options::options_description& globals) {
  return fmt::format(
      "usage: foreflow COMMAND [OPTIONS]\n\nShows and configures what the manager, foreflowd, knows and does.\n\n"
      "Commands:\n{}\n{}\n"
      "Environment: FOREFLOW_MANAGER, FOREFLOW_CERTS (folder of ca.crt, operator.crt, operator.key); then\n"
      "~/.config/foreflow/cli.toml with the keys manager, ca, certificate, key.\n"
      "Exit status: 0 done, 1 failure, 2 usage, 3 not found, 4 manager unreachable, 5 denied or\ncertificates that do "
      "not fit, 6 partial.\n"
      "Example: foreflow vm top --watch\n",
      lines(""), printed(globals));
}

std::string noun_help(const std::string& noun) {
  return fmt::format("usage: foreflow {} VERB [OPTIONS]\n\n{}\nMore about one: foreflow {} VERB --help\n", noun,
                     lines(noun), noun);
}

std::string command_help(const Command& command, const boost::program_options::options_description& own,
                         const boost::program_options::options_description& globals) {
  return fmt::format("usage: foreflow {} [OPTIONS]\n\n{}\n\n{}{}\nExample: {}\n", usage_of(command), command.summary,
                     own.options().empty() ? "" : printed(own) + "\n", printed(options_for(command, globals)),
                     command.example);
}

bool is_noun(const std::string& word) {
  return std::any_of(commands().begin(), commands().end(), [&](const Command& c) { return c.noun == word; });
}

std::string unknown_command(const std::vector<std::string>& words) {
  const auto wanted = words.size() > 1 ? words[0] + " " + words[1] : words[0];
  std::vector<std::string> all;
  for (const auto& command : commands()) {
    if (words.size() > 1 || command.verb.empty()) all.push_back(words_of(command));
    if (words.size() == 1) all.emplace_back(command.noun);
  }
  const auto near = nearest(wanted, all);
  return fmt::format("unknown command '{}'; {}", wanted,
                     near ? fmt::format("did you mean '{}'?", *near) : "foreflow --help lists all commands");
}

}  // namespace foreflow::cli
