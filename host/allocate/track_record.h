// SPDX-License-Identifier: Apache-2.0
// Do a VM's forecasts keep what they promise? A quantile that is exceeded far more often than it says is no forecast:
// what the VM has shown lately stands in for it until the record is good again.
// Place: host/allocate; the planner keeps one per VM and direction, and so does the closed-loop simulation. Integers
// only. Thread safety: none.
#pragma once
#include <array>
#include <bitset>
#include <cstddef>
#include <optional>

#include "common/units.h"

namespace foreflow::allocate {

class TrackRecord {
 public:
  static constexpr std::size_t kJudged = 12;  // intervals: an hour of five minutes
  static constexpr std::size_t kShown = 36;   // intervals of which the highest stands in

  // Of the last kJudged intervals: as many as this above their forecast are too many, about twice what it says.
  static std::size_t too_many(double quantile);

  // An interval is over: what had been forecast for it at `quantile`, and what came (a lower bound where the VM was
  // limited). More than a twentieth above is above.
  void observe(BytesPerSecond forecast, BytesPerSecond came, double quantile);

  // What to expect at least: a fifth more than the highest of the last kShown intervals, where too many were above
  // their forecasts, now or within the last kJudged intervals. nullopt: forecasts are believed.
  std::optional<BytesPerSecond> instead() const;
  std::size_t exceeded() const { return above_.count(); }

 private:
  std::bitset<kJudged> above_;                 // bit 0 is the newest
  std::array<BytesPerSecond, kShown> came_{};  // ring
  std::size_t next_ = 0;
  std::size_t doubted_for_ = 0;  // intervals to come
};

}  // namespace foreflow::allocate
