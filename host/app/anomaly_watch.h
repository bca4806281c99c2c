// SPDX-License-Identifier: Apache-2.0
// Tells operators when a VM's demand is not what it has been: one event per anomaly, with its cause.
// Place: host/app; looks at the intervals that the forecast service has seen, once per cycle.
#pragma once
#include <cstddef>
#include <map>
#include <utility>

#include "host/app/live_view.h"
#include "host/app/roster.h"
#include "host/forecast/service.h"
#include "predictor/anomaly/detector.h"

namespace foreflow::app {

// An interval is judged once a later one has begun; what comes into it after that is not seen here. Offered bytes are
// counted before the meter, so limited intervals are judged like others. Memory: 2 KiB for each VM and direction.
// Thread safety: none; the cycle's thread owns it.
class AnomalyWatch {
 public:
  struct Parts {
    const forecast::ForecastService& forecasts;
    LiveView& live;
  };
  // Intervals that began before `from` are learned and not told: they have been told, or are no news.
  AnomalyWatch(Parts parts, UnixNanos from) : parts_(parts), from_(from) {}

  // An alarm becomes a line of the log and an event "anomaly" of the VM's dataplane. A long history is learned in
  // pieces, kMostAtOnce intervals of the fleet per call and one series more, so that no cycle waits for it.
  void look(const Roster& roster);

  static constexpr std::size_t kMostAtOnce = 20'000;
  // Intervals of a series that are learned before any is told of: detectors fill their windows (the longest has 59).
  static constexpr std::size_t kProbation = 60;

 private:
  using Key = std::pair<VmId, Direction>;
  struct Watched {
    predictor::AnomalyDetector detector;
    UnixNanos judged{-1};   // start of the newest interval that was judged
    std::size_t count = 0;  // of them
  };
  std::size_t look(const model::Vm& vm, Direction direction);
  bool is_news(const Watched& watched, const predictor::AnomalyVerdict& verdict) const;
  void tell(const model::Vm& vm, Direction direction, const forecast::Observation& seen,
            const predictor::AnomalyVerdict& verdict);

  Parts parts_;
  UnixNanos from_;
  std::map<Key, Watched> watched_;
};

}  // namespace foreflow::app
