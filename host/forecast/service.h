// SPDX-License-Identifier: Apache-2.0
// Keeps recent demand per VM and direction and answers with quantile forecasts of it.
// Place: host/forecast; fed by the ingest of reports, asked by the allocation cycle.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/units.h"
#include "common/wire/messages.h"
#include "predictor/forecast.h"
#include "predictor/models/model.h"
#include "predictor/series/series.h"

namespace foreflow::forecast {

struct ForecastConfig {
  std::uint64_t interval_ns = 300 * kNanosPerSecond;       // grid of the allocated series
  std::size_t horizon = 12;                                // intervals
  std::size_t season = 288;                                // intervals in a day
  std::size_t history = 14 * 288;                          // intervals kept, float32
  std::uint64_t limited_window_ns = 10 * kNanosPerSecond;  // how long a limited sample makes a VM limited
  std::size_t reselect_every = 12;                         // intervals between two choices of the model
};

struct Forecast {
  UnixNanos made_at;  // start of the interval in progress; lead h covers the h-th interval from here
  std::uint64_t step_ns = 0;
  predictor::QuantileForecast quantiles;  // bytes per second
  std::string reason;                     // why this model: its loss and those of the others
  BytesPerSecond last;                    // p95 of 1 s offered rates in the last interval (or so far in the first)
  BytesPerSecond so_far;                  // the same of the interval in progress; 0 before its first sample
  bool limited = false;                   // a sample of the last `limited_window_ns` was limited
  // At each of predictor::kQuantiles what the allocation law says; empty where the fleet has not taught it a knob.
  std::array<std::optional<BytesPerSecond>, predictor::kQuantiles.size()> by_law{};

  static constexpr std::size_t kWantLeads = 2;  // the interval in progress and the next: limits stand before the demand

  // The highest of the first `leads` intervals at one of predictor::kQuantiles (the next higher one for a value
  // between), and at least what the interval in progress has shown. Rounded up.
  BytesPerSecond demand(double quantile, std::size_t leads) const;
  // What the allocation should expect: what the law says, at least what the interval in progress has shown; where it
  // says nothing, demand() for kWantLeads.
  BytesPerSecond want(double quantile) const;
};

// The allocation law's knob for each of predictor::kQuantiles; empty: forecasts themselves are to be followed.
struct Law {
  std::array<std::optional<double>, predictor::kQuantiles.size()> knobs{};
  std::string about;  // said in reasons
};

// One interval that has been seen.
struct Observation {
  UnixNanos start;
  BytesPerSecond rate;   // p95 of 1 s offered rates
  bool limited = false;  // a lower bound
};

// What is kept of the whole fleet, for learning from it.
struct Histories {
  std::vector<predictor::Series> series;  // one per VM and direction that was seen
  UnixNanos from, to;                     // of all of them
};

// The value of an interval is the p95 of its 1 s offered rates. It is exact for intervals of up to 640 samples that
// arrive in order or up to 4 intervals late; a sample for an older interval can only raise that interval's value (an
// upper bound of the true p95). Memory: 5 bytes per interval of history + 2 kB, for each VM and direction (22 kB by
// default). Limited intervals are lower bounds for the models, never plain targets.
// Thread safety: all members from any thread; a call holds the lock for one VM's work only.
class ForecastService {
 public:
  explicit ForecastService(const ForecastConfig& config);
  ~ForecastService();

  // One direction of one report: offered bytes in `interval_ns` ending at `time` (the dataplane's clock). Late samples
  // go into the interval they belong to, as long as it is kept; a report longer than 1 s counts as that many samples.
  // The caller has refused times from the future: a time ahead by the whole history clears it.
  void observe(VmId vm, Direction direction, UnixNanos time, std::uint64_t interval_ns, std::uint64_t offered_bytes,
               bool limited);

  // Quantiles of the intervals from `now` on, by the model that select_forecasting_model() chose for this VM and
  // direction (anew every `reselect_every` intervals), and why that one. Made once per interval, then remembered.
  // nullopt only before the first sample; a VM with little history gets a forecast and the reason says so.
  std::optional<Forecast> predict(VmId vm, Direction direction, UnixNanos now);

  // Intervals seen that end after `from`, oldest first, the one in progress included.
  std::vector<Observation> history(VmId vm, Direction direction, UnixNanos from) const;

  // A model that was learned from the fleet competes with the local ones from now on, and forecasts VMs with too little
  // history of their own. `about` is said in reasons.
  void use_global(std::shared_ptr<const predictor::Model> model, const std::string& about);
  // From now on forecasts say what the allocation law does at these knobs.
  void use_law(Law law);
  // A copy; limited intervals are marked as the lower bounds that they are.
  Histories histories() const;

  void forget(VmId vm);
  // Forgets all VMs but those that are `known`; asked with the service's lock held.
  void retain(const std::function<bool(VmId)>& known);

  // History to a file and back (versioned, with a checksum, replaced atomically). load() replaces what is held
  // and takes all or nothing. kNotFound: no such file; kMalformed: damaged; kUnsupported: another version or another
  // interval; kExhausted: larger than 4 GiB; kIo.
  Status save(const std::string& path) const;
  Status load(const std::string& path);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::forecast
