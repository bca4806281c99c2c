// SPDX-License-Identifier: Apache-2.0
#include "predictor/series/grid.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "predictor/series/calendar.h"

namespace foreflow::predictor {

void GridBuilder::open(std::int64_t slot) {
  if (!is_open_)
    series_ = Series(plan_.season, static_cast<std::size_t>(floor_remainder(
                                       slot, static_cast<std::int64_t>(std::max<std::size_t>(plan_.season, 1)))));
  is_open_ = true;
  slot_ = slot;
  sum_ = 0;
  count_ = 0;
  limited_ = false;
}

void GridBuilder::close() {
  if (count_ == 0)
    series_.push_gap();
  else
    series_.push(sum_ / static_cast<double>(count_), limited_);
}

void GridBuilder::add(std::int64_t time, double value, bool limited) {
  const std::int64_t slot = floor_divide(time, plan_.step);
  if (!is_open_) open(slot);
  if (slot < slot_) {
    ++late_;
    return;
  }
  if (static_cast<std::uint64_t>(slot) - static_cast<std::uint64_t>(slot_) > plan_.longest_gap) {
    ++restarts_;
    is_open_ = false;
    open(slot);
  }
  while (slot_ < slot) {
    close();
    open(slot_ + 1);
  }
  if (!std::isfinite(value) || value < 0) return;
  sum_ += value;
  ++count_;
  limited_ = limited_ || limited;
}

Series GridBuilder::take() {
  if (is_open_) close();
  is_open_ = false;
  return std::exchange(series_, Series(plan_.season));
}

}  // namespace foreflow::predictor
