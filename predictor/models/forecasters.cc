// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/forecasters.h"

#include <algorithm>
#include <array>
#include <utility>

#include "predictor/models/arima_search.h"
#include "predictor/models/ensemble.h"
#include "predictor/models/ets.h"
#include "predictor/models/lag_regression.h"
#include "predictor/models/naive.h"
#include "predictor/models/pattern_match.h"
#include "predictor/models/profile.h"
#include "predictor/models/theta.h"

namespace foreflow::predictor {
namespace {

template <typename Family, typename... Spec>
std::unique_ptr<PathModel> make(const Spec&... spec) {
  return std::make_unique<Family>(spec...);
}

constexpr ProfileSpec kWeek{.seasons = 7, .copies = 3, .decay = .7};
constexpr ProfileSpec kDay{.scale = Scale::kRaw, .seasons = 1, .copies = 7, .decay = .85, .daily_lags = true};

struct Entry {
  std::string_view name;
  std::unique_ptr<PathModel> (*make)();
};

constexpr std::array kEntries{
    Entry{"naive", [] { return make<Naive>(NaiveKind::kLast); }},
    Entry{"drift", [] { return make<Naive>(NaiveKind::kDrift); }},
    Entry{"seasonal_naive", [] { return make<Naive>(NaiveKind::kSeasonal); }},
    Entry{"theta", [] { return make<Theta>(ThetaKind::kStandard); }},
    Entry{"optimised_theta", [] { return make<Theta>(ThetaKind::kOptimised); }},
    Entry{"dynamic_theta", [] { return make<Theta>(ThetaKind::kDynamic); }},
    Entry{"ets", [] { return make<Ets>(); }},
    Entry{"ets_log", [] { return make<Ets>(EtsSpec{.scale = Scale::kLog1p}); }},
    Entry{"arima", [] { return make<Arima>(); }},
    Entry{"arima_log", [] { return make<Arima>(ArimaSpec{.scale = Scale::kLog1p}); }},
    Entry{"lag_regression", [] { return make<LagRegression>(LagRegressionSpec{.scale = Scale::kRaw}); }},
    Entry{"lag_regression_log", [] { return make<LagRegression>(); }},
    Entry{"day_profile", [] { return make<Profile>(kDay); }},
    Entry{"week_profile_log", [] { return make<Profile>(kWeek); }},
    Entry{"pattern_match_log", [] { return make<PatternMatch>(PatternMatchSpec{}); }},
    Entry{"seasonal_ensemble", seasonal_ensemble},
};

}  // namespace

std::vector<std::string_view> classical_names() {
  std::vector<std::string_view> names;
  names.reserve(kEntries.size());
  for (const Entry& entry : kEntries) names.push_back(entry.name);
  return names;
}

std::unique_ptr<PathModel> make_classical(std::string_view name) {
  const auto* entry = std::ranges::find(kEntries, name, &Entry::name);
  return entry == kEntries.end() ? nullptr : entry->make();
}

std::unique_ptr<PathModel> seasonal_ensemble() {
  PathModels members;
  members.push_back(std::make_unique<LagRegression>(LagRegressionSpec{.scale = Scale::kRaw}));
  members.push_back(std::make_unique<LagRegression>());
  members.push_back(std::make_unique<Profile>(kDay));
  members.push_back(std::make_unique<Profile>(kWeek));
  return std::make_unique<Ensemble>("seasonal_ensemble", Scale::kLog1p, std::move(members));
}

}  // namespace foreflow::predictor
