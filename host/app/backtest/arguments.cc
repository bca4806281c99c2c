// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/arguments.h"

#include <cstdio>
#include <sstream>
#include <system_error>

#include <fmt/format.h>

namespace foreflow::backtest {

bool CommonSettings::trains_on_data() const {
  std::error_code error;
  return train.empty() || std::filesystem::equivalent(data, train, error);
}

po::typed_value<std::string>* path_value(std::filesystem::path& into, const char* name) {
  return po::value<std::string>()->value_name(name)->notifier([&into](const std::string& said) { into = said; });
}

void add_output(po::options_description& options, CommonSettings& common) {
  auto add = options.add_options();
  add("output,o", path_value(common.output, "FILE")->required(), "CSV; compressed if it ends in .gz");
  add("threads", po::value(&common.threads)->default_value(0), "0 = one per CPU");
}

void add_common(po::options_description& options, CommonSettings& common, const char* data_says) {
  auto add = options.add_options();
  add("data", path_value(common.data, "DIR")->required(), data_says);
  add("metric", po::value(&common.metric)->default_value("net_tx_Bps"), "the demand column");
  add_output(options, common);
}

void add_train(po::options_description& options, CommonSettings& common) {
  options.add_options()("train", path_value(common.train, "DIR"), "series to learn from; default: those of --data");
}

Result<std::optional<po::variables_map>> parse(const std::vector<std::string>& arguments,
                                               po::options_description& options, std::string_view usage) {
  options.add_options()("help,h", "print this and end");
  po::variables_map values;
  try {
    const auto style = po::command_line_style::default_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(arguments).options(options).positional({}).style(style).run(), values);
    if (values.count("help") == 0) po::notify(values);
  } catch (const po::error& e) {
    return fail(ErrorCode::kInvalidArgument, fmt::format("{}; --help lists the options", e.what()));
  }
  if (values.count("help") == 0) return values;
  std::ostringstream text;
  text << usage << "\n\n" << options;
  fmt::print("{}", text.str());
  return std::nullopt;
}

}  // namespace foreflow::backtest
