// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/replay.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "host/allocate/want.h"
#include "predictor/features/usual_peaks.h"
#include "predictor/optimize/evidence.h"

namespace foreflow::backtest {
namespace {

constexpr std::int64_t kStepNs = 300 * static_cast<std::int64_t>(kNanosPerSecond);
constexpr double kScale = 1'000;  // the manager's law counts whole units: a percentage needs thousandths

// What the manager would want: its hysteresis on the law's answer.
class Damped {
 public:
  double next(double allocation, std::size_t step) {
    const UnixNanos now{static_cast<std::int64_t>(step) * kStepNs};
    const auto demand = BytesPerSecond{static_cast<std::uint64_t>(std::ceil(allocation * kScale))};
    state_ = allocate::next_want({}, state_, {.now = now, .demand = demand, .floor = {}, .installed = {}});
    return static_cast<double>(state_->want.value) / kScale;
  }

 private:
  std::optional<allocate::WantState> state_;
};

}  // namespace

void Cost::add(const Cost& other) {
  demand += other.demand;
  for (std::size_t k = 0; k < kKnobs; ++k) {
    unserved[k] += other.unserved[k];
    allocated[k] += other.allocated[k];
  }
}

Replayed replay(const Recording& recording, predictor::FittedModel& fitted, Law law, const Span& span,
                std::size_t chosen, bool write) {
  const predictor::SeriesView series = recording.series.view();
  const std::size_t end = std::min(span.end, series.size());
  const std::size_t first = std::min(span.first, end);
  predictor::UsualPeaks peaks(series.season);
  for (std::size_t step = 0; step < first; ++step) peaks.push(series.values[step]);

  Replayed result;
  std::array<Damped, kKnobs> damped;
  std::array<double, kKnobs> last;
  last.fill(-1);
  for (std::size_t step = first; step < end; ++step) {
    const predictor::Evidence seen = predictor::gather(fitted.forecast(1), 1, peaks);
    const bool scored = recording.observed[step] != 0;
    const double demand = series.values[step];
    if (scored) result.cost.demand += demand;
    for (std::size_t k = 0; k < kKnobs; ++k) {
      double wanted = predictor::allocation(seen, static_cast<double>(k));
      if (law == Law::kProduction) wanted = damped[k].next(wanted, step);
      if (std::abs(wanted - last[k]) > kChange * last[k]) {
        last[k] = wanted;
        if (write)
          fmt::format_to(std::back_inserter(result.rows), "{},{},{:.4g},{},{}\n", recording.name, step, wanted, k,
                         k == chosen ? 1 : 0);
      }
      if (!scored) continue;
      result.cost.unserved[k] += std::max(demand - last[k], 0.0);
      result.cost.allocated[k] += last[k];
    }
    fitted.update(demand, false);
    peaks.push(demand);
  }
  return result;
}

}  // namespace foreflow::backtest
