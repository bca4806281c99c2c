// SPDX-License-Identifier: Apache-2.0
#include "host/app/options.h"

#include <sstream>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "common/version.h"

namespace foreflow::app {
namespace {

namespace po = boost::program_options;

po::options_description description() {
  po::options_description all("Options");
  auto add = all.add_options();
  add("config,c", po::value<std::string>()->value_name("FILE")->default_value("/etc/foreflow/foreflowd.toml"),
      "the configuration; an example is configs/foreflowd.toml");
  add("check", "read the configuration and the files it names (certificates, secrets), say what is wrong, and end");
  add("verbose,v", "log more");
  add("version", "print the version and end");
  add("help,h", "print this and end");
  return all;
}

std::string help(const po::options_description& all) {
  std::ostringstream text;
  text << "usage: foreflowd [OPTIONS]\n\nThe manager: stores what dataplanes report, forecasts, allocates, and tells "
          "them "
          "their limits.\n\n"
       << all
       << "\nSignals: SIGTERM and SIGINT drain and end; SIGHUP reads the configuration again.\n"
          "Example: foreflowd --config /etc/foreflow/foreflowd.toml\n";
  return text.str();
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv) {
  const auto all = description();
  po::variables_map values;
  try {
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(all).positional({}).style(style).run(), values);
  } catch (const po::error& e) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}; see foreflowd --help", e.what()));
  }
  Options options{.config = values["config"].as<std::string>(),
                  .check = values.count("check") != 0,
                  .verbose = values.count("verbose") != 0};
  if (values.count("help") != 0) options.answer = help(all);
  if (values.count("version") != 0) options.answer = fmt::format("foreflowd {}\n", kVersion);
  return options;
}

}  // namespace foreflow::app
