// SPDX-License-Identifier: Apache-2.0
// The newest points of a series that goes on: what a fitted model keeps of the past.
// Place: predictor/series. Thread safety: none. Memory: at most twice `length` points.
#pragma once
#include <algorithm>
#include <cstddef>

#include "predictor/series/series.h"

namespace foreflow::predictor {

class Recent {
 public:
  Recent(const SeriesView& series, std::size_t length)
      : length_(std::max<std::size_t>(length, 1)), series_(series.last(length_)) {}

  void push(double value, bool limited) {
    series_.push(value, limited);
    if (series_.size() / 2 >= length_) series_ = Series(series_.view().last(length_));
  }

  // The newest `length` points, oldest first; fewer where there are no more.
  SeriesView view() const { return series_.view().last(length_); }

 private:
  std::size_t length_;
  Series series_;
};

}  // namespace foreflow::predictor
