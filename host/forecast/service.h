// SPDX-License-Identifier: Apache-2.0
// Keeps recent demand per VM and direction and answers with quantile forecasts of it.
// Place: host/forecast; fed by the ingest of reports, asked by the allocation cycle.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/ids.h"
#include "common/units.h"
#include "common/wire/messages.h"
#include "predictor/forecast.h"

namespace foreflow::forecast {

struct ForecastConfig {
  std::uint64_t interval_ns = 300 * kNanosPerSecond;  // grid of the allocated series
  std::size_t horizon = 12;                           // intervals
  std::size_t season = 288;                           // intervals in a day
  std::size_t history = 14 * 288;                     // intervals kept, float32
};

struct Forecast {
  UnixNanos made_at;
  std::uint64_t step_ns = 0;
  predictor::QuantileForecast quantiles;  // bytes per second
  BytesPerSecond last;                    // p95 of 1 s offered rates in the last interval (or so far in the first)
  bool limited = false;                   // the newest interval was limited
};

// Thread safety: all members from any thread; a call holds the lock for one VM's work only.
class ForecastService {
 public:
  explicit ForecastService(const ForecastConfig& config);
  ~ForecastService();

  // One direction of one report: offered bytes in `interval_ns` ending at `time` (the dataplane's clock). Late samples
  // go into the interval they belong to.
  void observe(VmId vm, Direction direction, UnixNanos time, std::uint64_t interval_ns, std::uint64_t offered_bytes,
               bool limited);

  // nullopt only before the first sample.
  std::optional<Forecast> forecast(VmId vm, Direction direction, UnixNanos now);

  void forget(VmId vm);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::forecast
