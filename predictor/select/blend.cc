// SPDX-License-Identifier: Apache-2.0
#include "predictor/select/blend.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "predictor/models/empirical.h"
#include "predictor/models/lag_regression.h"
#include "predictor/models/naive.h"
#include "predictor/models/seasonal.h"
#include "predictor/models/window_quantile.h"

namespace foreflow::predictor {
namespace {

constexpr double kLeastShare = .01;  // a member with less has no say

using Shares = std::vector<Quantiles>;  // per band

struct Member {
  std::unique_ptr<FittedModel> fitted;
  Shares shares;
};

class Fitted final : public FittedModel {
 public:
  Fitted(std::string name, std::vector<std::size_t> ends, std::vector<Member> members)
      : name_(std::move(name)), ends_(std::move(ends)), members_(std::move(members)) {}

  QuantileForecast forecast(std::size_t horizon) const override {
    std::vector<Quantiles> rows(horizon);
    for (const Member& member : members_) add(member, rows);
    for (Quantiles& row : rows)
      for (double& value : row) value = std::expm1(value);
    return finish(rows, 0, name_);
  }

  void update(double value, bool limited) override {
    for (const Member& member : members_) member.fitted->update(value, limited);
  }

 private:
  static void add(const Quantiles& shares, const QuantileForecast& told, std::size_t lead, Quantiles& row) {
    for (std::size_t q = 0; q < row.size(); ++q)
      row[q] += shares[q] * std::log1p(told.values(static_cast<Eigen::Index>(lead), static_cast<Eigen::Index>(q)));
  }

  void add(const Member& member, std::vector<Quantiles>& rows) const {
    const QuantileForecast told = member.fitted->forecast(rows.size());
    for (std::size_t lead = 0, band = 0; lead < rows.size(); ++lead) {
      while (band + 1 < ends_.size() && lead >= ends_[band]) ++band;
      add(member.shares[band], told, lead, rows[lead]);
    }
  }

  std::string name_;
  std::vector<std::size_t> ends_;
  std::vector<Member> members_;
};

// Of one band and quantile: the members' shares, which sum to 1. Where all lose nothing all are alike.
std::vector<double> shares(const std::vector<double>& losses, double sharpness) {
  const double best = *std::ranges::min_element(losses);
  std::vector<double> made;
  double sum = 0;
  for (const double loss : losses) {
    made.push_back(loss <= best ? 1 : best <= 0 ? 0 : std::pow(loss / best, -sharpness));
    sum += made.back();
  }
  double kept = 0;
  for (double& share : made) kept += share = share < kLeastShare * sum ? 0 : share;
  for (double& share : made) share /= kept;
  return made;
}

bool has_a_say(const Shares& shares) {
  return std::ranges::any_of(shares,
                             [](const Quantiles& band) { return *std::max_element(band.begin(), band.end()) > 0; });
}

// One score per member; `judged` is false where there is no origin.
std::vector<Score> judge(const SeriesView& series, const BlendBand& band, const SharedModels& members, bool& judged) {
  std::vector<std::size_t> ends;
  if (band.first > 0) ends.push_back(band.first);
  ends.push_back(band.rolling.horizon);
  std::vector<Score> scores;
  for (const auto& member : members) scores.push_back(rolling_update(series, band.rolling, *member, ends).back());
  judged = judged && scores[0].origins > 0;
  return scores;
}

}  // namespace

BlendPlan blend_plan(std::size_t season) {
  const std::size_t hour = std::max<std::size_t>(season / 24, 1);
  const std::size_t week = 7 * season;
  const RollingOrigin near{.horizon = hour, .origins = week / hour, .stride = hour, .warm_up = season};
  const RollingOrigin far{
      .horizon = season, .origins = 14, .stride = std::max<std::size_t>(season / 2, 1), .warm_up = season};
  return {.bands = {{0, near}, {hour, far}}, .newest = 31 * season};
}

Blend::Blend(std::string name, SharedModels members, BlendPlan plan)
    : name_(std::move(name)), members_(std::move(members)), plan_(std::move(plan)) {
  assert(!members_.empty() && !plan_.bands.empty());
}

std::unique_ptr<FittedModel> Blend::fit(const SeriesView& series) const {
  const SeriesView known = series.last(plan_.newest);
  std::vector<Shares> of(members_.size(), Shares(plan_.bands.size()));
  std::vector<std::size_t> ends;
  bool judged = true;
  for (std::size_t band = 0; band < plan_.bands.size() && judged; ++band) {
    ends.push_back(plan_.bands[band].rolling.horizon);
    const std::vector<Score> scores = judge(known, plan_.bands[band], members_, judged);
    for (std::size_t q = 0; q < kQuantiles.size(); ++q) {
      std::vector<double> losses;
      losses.reserve(scores.size());
      for (const Score& score : scores) losses.push_back(score.loss[q]);
      const std::vector<double> made = shares(losses, plan_.sharpness);
      for (std::size_t m = 0; m < made.size(); ++m) of[m][band][q] = made[m];
    }
  }
  if (!judged) return members_[0]->fit(known);
  std::vector<Member> members;
  std::string said = name_;
  for (std::size_t m = 0; m < members_.size(); ++m) {
    if (!has_a_say(of[m])) continue;
    said += (members.empty() ? ": " : ", ") + members_[m]->name();
    members.push_back({members_[m]->fit(known), std::move(of[m])});
  }
  return std::make_unique<Fitted>(std::move(said), std::move(ends), std::move(members));
}

std::unique_ptr<Model> demand_blend(std::shared_ptr<const Model> global, std::size_t season) {
  const std::size_t hour = std::max<std::size_t>(season / 24, 4);
  const std::size_t quarter = std::max<std::size_t>(season / 96, 1);
  SharedModels members;
  if (global) members.push_back(std::move(global));
  members.push_back(std::make_shared<WindowQuantile>("last_2_hours", 2 * hour));
  members.push_back(std::make_shared<WindowQuantile>("last_half_hour", hour / 2));
  members.push_back(
      std::make_shared<Seasonal>(SameSlot{.periods = 7, .neighbours = std::max<std::size_t>(quarter / 3, 1)}));
  members.push_back(std::make_shared<Seasonal>(SameSlot{.periods = 7, .neighbours = quarter}));
  members.push_back(std::make_shared<Naive>(NaiveKind::kSeasonal));
  members.push_back(std::make_shared<LagRegression>(LagRegressionSpec{.scale = Scale::kRaw}));
  members.push_back(std::make_shared<LagRegression>());
  return std::make_unique<Blend>("blend", std::move(members), blend_plan(season));
}

}  // namespace foreflow::predictor
