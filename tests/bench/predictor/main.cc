// SPDX-License-Identifier: Apache-2.0
// Processor time of the predictor, for scripts/bench predictor. FILE holds one series per line: "NAME,value,value,...".
//
//   bench_predictor rivals FILE SEASON HORIZON FORECASTS MODEL...
//     fits each classical model to each series and forecasts: "model,series,fit,forecast" (seconds) on standard output,
//     "model,series,step,q50,q90,q95,q99" in FORECASTS; "blend" is what the service uses without a global model
//   bench_predictor fleet FILE SEASON
//     what a fleet costs: "what,seconds" on standard output
#include <charconv>
#include <cstdio>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "predictor/models/forecasters.h"
#include "predictor/models/global/boosted.h"
#include "predictor/models/global/lstm.h"
#include "predictor/select/blend.h"
#include "tests/bench/figures.h"

namespace foreflow::bench {
namespace {

struct Named {
  std::string name;
  predictor::Series series;
};

Named parse(std::string_view line, std::size_t season) {
  Named made{std::string(line.substr(0, line.find(','))), predictor::Series(season)};
  while (line.find(',') != std::string_view::npos) {
    line.remove_prefix(line.find(',') + 1);
    double value = std::numeric_limits<double>::quiet_NaN();  // an empty cell is a gap
    std::from_chars(line.data(), line.data() + line.size(), value);
    made.series.push(value);
  }
  return made;
}

std::vector<Named> read(const char* path, std::size_t season) {
  std::vector<Named> all;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) all.push_back(parse(line, season));
  return all;
}

std::unique_ptr<predictor::Model> model_of(std::string_view name, std::size_t season) {
  if (name == "blend") return predictor::demand_blend(nullptr, season);
  return predictor::make_classical(name);
}

void write(std::ofstream& out, std::string_view model, const Named& one, const predictor::QuantileForecast& forecast) {
  for (Eigen::Index step = 0; step < forecast.values.rows(); ++step) {
    const auto row = forecast.values.row(step);
    out << fmt::format("{},{},{},{:.6g},{:.6g},{:.6g},{:.6g}\n", model, one.name, step + 1, row(0), row(1), row(2),
                       row(3));
  }
}

int rivals(const std::vector<Named>& all, std::size_t season, std::size_t horizon, std::ofstream out,
           const std::vector<std::string_view>& names) {
  for (const std::string_view name : names) {
    const auto model = model_of(name, season);
    if (!model) return fmt::print(stderr, "bench: no model '{}'\n", name), 2;
    for (const Named& one : all) {
      std::unique_ptr<predictor::FittedModel> fitted;
      predictor::QuantileForecast forecast;
      const double fit = cpu_ms([&] { fitted = model->fit(one.series.view()); });
      const double ahead = cpu_ms([&] { forecast = fitted->forecast(horizon); });
      fmt::print("{},{},{:.6g},{:.6g}\n", name, one.name, fit / 1e3, ahead / 1e3);
      write(out, name, one, forecast);
    }
  }
  return out.flush() ? 0 : 2;
}

void tell(std::string_view what, double ms) { fmt::print("{},{:.6g}\n", what, ms / 1e3); }

std::shared_ptr<const predictor::GlobalModel> learned(const predictor::Trainer& trainer,
                                                      const std::vector<Named>& all) {
  std::vector<predictor::SeriesView> views;
  views.reserve(all.size());
  for (const Named& one : all) views.push_back(one.series.view());
  auto model = trainer.train(views);
  if (!model) fmt::print(stderr, "bench: {}\n", model.error().message);
  return model ? std::move(*model) : nullptr;
}

// One day of each of `vms` series: the model is fitted before it, then it gets each point and forecasts 288.
int days(const std::vector<Named>& all, const predictor::Model& model, std::size_t vms) {
  for (std::size_t i = 0; i < std::min(vms, all.size()); ++i) {
    const predictor::SeriesView series = all[i * all.size() / vms].series.view();
    const std::size_t day = series.season;
    std::unique_ptr<predictor::FittedModel> fitted;
    tell("refit", cpu_ms([&] { fitted = model.fit(series.first(series.size() - day)); }));
    const double warm = cpu_ms([&] {
      for (std::size_t at = series.size() - day; at < series.size(); ++at) {
        fitted->update(series.values[at], false);
        keep(fitted->forecast(day));
      }
    });
    tell("update", warm / static_cast<double>(day));
  }
  return 0;
}

int fleet(const std::vector<Named>& all, std::size_t season) {
  constexpr std::size_t kVms = 20;
  std::shared_ptr<const predictor::GlobalModel> boosted;
  predictor::BoostedPlan plan;
  const predictor::BoostedTrainer trees(std::move(plan));
  const predictor::LstmTrainer network;
  tell("training boosted", cpu_ms([&] { boosted = learned(trees, all); }));
  tell("training lstm", cpu_ms([&] { keep(learned(network, all)); }));
  return boosted ? days(all, *predictor::demand_blend(boosted, season), kVms) : 2;
}

}  // namespace
}  // namespace foreflow::bench

int main(int argc, char** argv) {
  using namespace foreflow::bench;
  const std::vector<std::string_view> arguments(argv + 1, argv + argc);
  const bool compares = arguments.size() >= 6 && arguments[0] == "rivals";
  if (!compares && (arguments.size() != 3 || arguments[0] != "fleet")) {
    fmt::print(stderr, "usage: bench_predictor rivals FILE SEASON HORIZON FORECASTS MODEL... | fleet FILE SEASON\n");
    return 2;
  }
  const std::size_t season = std::stoul(argv[3]);
  const std::vector<Named> all = read(argv[2], season);
  if (!compares) return fleet(all, season);
  return rivals(all, season, std::stoul(argv[4]), std::ofstream(argv[5]), {arguments.begin() + 5, arguments.end()});
}
