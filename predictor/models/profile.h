// SPDX-License-Identifier: Apache-2.0
// What is usual at this time of the week (or day), plus an autoregression of the present departure from it.
// Place: predictor/models.
#pragma once
#include <memory>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

struct ProfileSpec {
  Scale scale = Scale::kLog1p;
  std::size_t seasons = 7;  // length of the profile: 7 = a week, 1 = a day
  std::size_t copies = 3;   // how many former periods it is averaged from
  double decay = .7;        // weight of a period to that of the one after it
  std::size_t recent = 24;  // lags of the departure's autoregression
  bool daily_lags = false;  // also the departure one to seven seasons ago
  double ridge = 1e-4;
};

class Profile final : public PathModel {
 public:
  explicit Profile(const ProfileSpec& spec);

  // One period beside which departures can be seen.
  std::size_t needs(std::size_t season) const override { return spec_.seasons * season + 30; }
  // The period's true length is measured (period.h). The autoregression is estimated robustly (Huber 1964).
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  ProfileSpec spec_;
};

}  // namespace foreflow::predictor
