// SPDX-License-Identifier: Apache-2.0
// From where recorded series are forecast: fixed origins, the same for everybody who compares forecasts on them.
// Place: host/app/backtest.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

#include "host/app/backtest/dataset.h"

namespace foreflow::backtest {

struct Case {
  std::size_t series = 0;   // index into the recordings
  std::size_t known = 0;    // rows that a forecaster may use
  std::size_t origin = 0;   // how the result names the case
  std::size_t horizon = 0;  // rows to forecast
};

// VMs: from 55 % and 93 % of the rows, moved on by hours to where the coming day was observed whole; none where the
// last week repeats the same day or is shorter than a week.
std::vector<Case> vm_cases(std::span<const Recording> recordings);

// Links: up to 60 origins between 40 % and 95 % of the rows, at least 2 hours apart, two weeks before the first.
std::vector<Case> link_cases(std::span<const Recording> recordings);

// Hourly series: 48 steps after the end of each; the origin is called 0.
std::vector<Case> hourly_cases(std::span<const Recording> recordings);

// The smallest `known`: what a model that learns from many series may see of each.
std::size_t earliest(std::span<const Case> cases);

}  // namespace foreflow::backtest
