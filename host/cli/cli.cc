// SPDX-License-Identifier: Apache-2.0
#include "host/cli/cli.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/connection.h"
#include "host/cli/help.h"

namespace foreflow::cli {
namespace {

namespace po = boost::program_options;

constexpr const char* kWatchDefault = "2";
constexpr double kLeastWatch = 0.1;
constexpr double kMostWatch = 86'400;
constexpr std::string_view kClearScreen = "\x1b[H\x1b[2J";
// Whole option names only: an abbreviation that works today may be ambiguous tomorrow.
constexpr int kStyle = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;

po::options_description global_options() {
  po::options_description globals("Options of all commands");
  auto add = globals.add_options();
  add("output,o", po::value<std::string>()->value_name("FORM")->default_value("table"),
      "table, or json: rates in bytes per second (null: unlimited), sizes in bytes, times in nanoseconds since 1970");
  add("watch", po::value<double>()->value_name("SECONDS")->implicit_value(2.0, kWatchDefault),
      "repeat until interrupted, each 0.1 to 86400 seconds");
  add("manager", po::value<std::string>()->value_name("ADDRESS"), "host:port or unix:/path of the manager's API");
  add("ca", po::value<std::string>()->value_name("FILE"), "certificate authority of the manager");
  add("cert", po::value<std::string>()->value_name("FILE"), "our certificate");
  add("key", po::value<std::string>()->value_name("FILE"), "its key");
  add("help,h", "help about the command");
  return globals;
}

bool is_number(const std::string& word) {
  return !word.empty() &&
         std::all_of(word.begin(), word.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

// `--watch 5` means `--watch=5`; an optional value is otherwise taken for an argument.
std::vector<std::string> join_watch(const std::vector<std::string>& words) {
  std::vector<std::string> joined;
  for (const auto& word : words) {
    if (!joined.empty() && joined.back() == "--watch" && is_number(word))
      joined.back() += "=" + word;
    else
      joined.push_back(word);
  }
  return joined;
}

// `foreflow --version` and `foreflow help vm`, as other programs taught people to ask.
std::vector<std::string> accept_customs(std::vector<std::string> words) {
  if (words.empty()) return words;
  if (words[0] == "--version") words[0] = "version";
  if (words[0] == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  return words;
}

struct Line {
  std::vector<std::string> command;  // noun, verb, arguments and the command's own options, in order
  po::variables_map globals;
};

tl::expected<Line, Failure> split(const std::vector<std::string>& words, const po::options_description& globals) {
  try {
    const auto parsed =
        po::command_line_parser(join_watch(words)).options(globals).style(kStyle).allow_unregistered().run();
    Line line{po::collect_unrecognized(parsed.options, po::include_positional), {}};
    po::store(parsed, line.globals);
    const auto form = line.globals["output"].as<std::string>();
    if (form != "table" && form != "json") return usage("--output is table or json, not '" + form + "'");
    // Also what is no number at all fails this.
    if (line.globals.count("watch") != 0)
      if (const auto seconds = line.globals["watch"].as<double>(); !(seconds >= kLeastWatch && seconds <= kMostWatch))
        return usage(fmt::format("--watch takes {} to {} seconds, not {}", kLeastWatch, kMostWatch, seconds));
    return line;
  } catch (const po::error& e) {
    return usage(e.what());
  }
}

const Command* find(const std::vector<std::string>& words) {
  for (const auto& command : commands()) {
    if (words.empty() || command.noun != words[0]) continue;
    if (command.verb.empty() || (words.size() > 1 && command.verb == words[1])) return &command;
  }
  return nullptr;
}

tl::expected<void, Failure> read_own(const Command& command, const std::vector<std::string>& words,
                                     const po::options_description& own, Context& context) {
  try {
    po::options_description all;
    all.add(own).add_options()("argument", po::value<std::vector<std::string>>());
    po::positional_options_description positional;
    positional.add("argument", -1);
    po::store(po::command_line_parser(words).options(all).positional(positional).style(kStyle).run(), context.options);
  } catch (const po::error& e) {
    return usage(fmt::format("{}; see foreflow {} {} --help", e.what(), command.noun, command.verb));
  }
  if (context.options.count("argument") != 0)
    context.arguments = context.options["argument"].as<std::vector<std::string>>();
  const auto count = context.arguments.size();
  const bool enough = command.argument.empty() || command.argument.starts_with('[') || count >= 1;
  const bool few = command.argument.ends_with("...") || count <= (command.argument.empty() ? 0u : 1u);
  if (enough && few) return {};
  return usage(fmt::format("'{}{}{}' takes {}; for example: {}", command.noun, command.verb.empty() ? "" : " ",
                           command.verb, command.argument.empty() ? "no argument" : command.argument, command.example));
}

ExitCode report(const Failure& failure, std::ostream& err) {
  err << "foreflow: " << failure.message << (failure.message.ends_with('\n') ? "" : "\n");
  return failure.code;
}

ExitCode repeat(const Command& command, Context& context, std::optional<double> watch, std::ostream& out,
                std::ostream& err) {
  while (true) {
    const auto outcome = command.run(context);
    if (!outcome) return report(outcome.error(), err);
    if (watch && !context.json) out << kClearScreen;
    out << *outcome << std::flush;
    if (!out) return ExitCode::kFailure;
    if (!watch) return ExitCode::kDone;
    std::this_thread::sleep_for(std::chrono::duration<double>(*watch));
  }
}

ExitCode help(const Line& line, const Command* command, const po::options_description& globals, std::ostream& out,
              std::ostream& err) {
  if (command) {
    po::options_description own("Options");
    if (command->options) command->options(own);
    out << command_help(*command, own, globals);
  } else if (line.command.empty()) {
    out << general_help(globals);
  } else if (line.command.size() == 1 && is_noun(line.command[0])) {
    out << noun_help(line.command[0]);
  } else {
    return report({ExitCode::kUsage, unknown_command(line.command)}, err);
  }
  return ExitCode::kDone;
}

}  // namespace

ExitCode run(const std::vector<std::string>& words, const Environment& environment, std::ostream& out,
             std::ostream& err) {
  const auto globals = global_options();
  const auto line = split(accept_customs(words), globals);
  if (!line) return report(line.error(), err);
  const auto* command = find(line->command);
  if (line->globals.count("help") != 0) return help(*line, command, globals, out, err);
  if (line->command.empty()) return report({ExitCode::kUsage, "a command is missing; foreflow --help lists all"}, err);
  if (!command && line->command.size() == 1 && is_noun(line->command[0]))
    return report({ExitCode::kUsage, "a verb is missing\n\n" + noun_help(line->command[0])}, err);
  if (!command) return report({ExitCode::kUsage, unknown_command(line->command)}, err);
  if (line->globals.count("watch") != 0 && !command->watchable)
    return report({ExitCode::kUsage, fmt::format("--watch is for commands that show something; '{}{}{}' runs once",
                                                 command->noun, command->verb.empty() ? "" : " ", command->verb)},
                  err);

  Context context;
  context.json = line->globals["output"].as<std::string>() == "json";
  po::options_description own("Options");
  if (command->options) command->options(own);
  const auto taken = command->verb.empty() ? 1 : 2;
  if (auto read = read_own(*command, {line->command.begin() + taken, line->command.end()}, own, context); !read)
    return report(read.error(), err);
  auto connection = find_connection(line->globals, environment);
  if (!connection) return report(failure(connection.error()).value(), err);
  context.connection = std::move(*connection);
  std::optional<double> watch;
  if (line->globals.count("watch") != 0) watch = line->globals["watch"].as<double>();
  return repeat(*command, context, watch, out, err);
}

}  // namespace foreflow::cli
