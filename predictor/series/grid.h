// SPDX-License-Identifier: Apache-2.0
// From samples with timestamps to a series on an even grid.
// Place: predictor/series. Thread safety: none.
//
// Samples of one slot are averaged; a slot without any is a gap. Clocks step and sources repeat themselves, so what
// does not fit has a defined place: a sample of an earlier slot than the newest is dropped and counted (`late`); a step
// forward beyond `longest_gap` slots starts the series anew, as what lies before it says nothing any more (`restarts`).
#pragma once
#include <cstddef>
#include <cstdint>

#include "predictor/series/series.h"

namespace foreflow::predictor {

struct GridPlan {
  std::int64_t step = 300;          // seconds, > 0
  std::size_t season = 288;         // slots in one period; slot 0 of a period begins at a multiple of season * step
  std::size_t longest_gap = 8'928;  // slots; 31 days of 5 minutes
};

class GridBuilder {
 public:
  explicit GridBuilder(const GridPlan& plan) : plan_(plan), series_(plan.season) {}

  // `time`: seconds, in the zone in which days shall begin. A value that no demand can have makes its sample a gap.
  void add(std::int64_t time, double value, bool limited = false);

  // The series up to the newest slot, which is closed by this; the builder is then empty again, counts stay.
  Series take();

  std::size_t late() const { return late_; }
  std::size_t restarts() const { return restarts_; }

 private:
  void open(std::int64_t slot);
  void close();

  GridPlan plan_;
  Series series_;
  bool is_open_ = false;
  std::int64_t slot_ = 0;  // the one being filled
  double sum_ = 0;
  std::size_t count_ = 0;
  bool limited_ = false;
  std::size_t late_ = 0;
  std::size_t restarts_ = 0;
};

}  // namespace foreflow::predictor
