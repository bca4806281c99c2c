// SPDX-License-Identifier: Apache-2.0
// One series under the allocation law at every knob: what is allocated before each step, and what that costs.
// Place: host/app/backtest, for `allocate`.
#pragma once
#include <array>
#include <cstddef>
#include <string>

#include "host/app/backtest/dataset.h"
#include "predictor/models/model.h"
#include "predictor/optimize/allocation_law.h"

namespace foreflow::backtest {

inline constexpr std::size_t kKnobs = static_cast<std::size_t>(predictor::kMostKnob) + 1;

enum class Law {
  kRaw,         // the law anew at each step
  kProduction,  // with the manager's hysteresis: up at once, down slowly
};

// Of the scored steps. Demand, unserved and allocated are sums over steps of the series' unit.
struct Cost {
  double demand = 0;
  std::array<double, kKnobs> unserved{};
  std::array<double, kKnobs> allocated{};
  void add(const Cost& other);
};

struct Span {
  std::size_t first = 0;  // allocations are made for the steps first ... end - 1, each from those before it
  std::size_t end = 0;
};

struct Replayed {
  Cost cost;
  std::string rows;  // "series,step,allocation,knob,default" where it changes by more than kChange
};

inline constexpr double kChange = .05;  // relative: smaller changes of an allocation are none

// `fitted`: to the rows before span.first; goes on with those of the span. Without rows (and faster) when `write` is
// false. `chosen`: the knob whose rows are marked as the default.
Replayed replay(const Recording& recording, predictor::FittedModel& fitted, Law law, const Span& span,
                std::size_t chosen, bool write);

}  // namespace foreflow::backtest
