// SPDX-License-Identifier: Apache-2.0
// A demand series on an even grid, with gaps and with values that are only lower bounds.
// Place: predictor; built by host/forecast and by the backtest, read by every model.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace foreflow::predictor {

// Somebody else's series, oldest first. Invariant: values[i] is finite and >= 0, or NaN for a gap.
struct SeriesView {
  std::span<const double> values;
  std::span<const std::uint8_t> limited;  // 1 = the true value was at least this (the VM was held back)
  std::size_t season = 1;                 // points in one period
  std::size_t phase = 0;                  // place of the first point in its period: local midnight is 0

  std::size_t size() const { return values.size(); }
  bool is_gap(std::size_t i) const { return std::isnan(values[i]); }
  bool is_limited(std::size_t i) const { return limited[i] != 0; }
  // The past of origin n: what a forecaster may see.
  SeriesView first(std::size_t n) const { return {values.first(n), limited.first(n), season, phase}; }
  // At most the newest n points.
  SeriesView last(std::size_t n) const {
    const std::size_t kept = n < size() ? n : size();
    return {values.last(kept), limited.last(kept), season, (phase + size() - kept) % season};
  }
};

class Series {
 public:
  explicit Series(std::size_t season, std::size_t phase = 0)
      : season_(season == 0 ? 1 : season), phase_(phase % season_) {}
  explicit Series(const SeriesView& view)
      : values_(view.values.begin(), view.values.end()),
        limited_(view.limited.begin(), view.limited.end()),
        season_(view.season),
        phase_(view.phase) {}

  // A value that no demand can have (negative, NaN, infinite) is kept as a gap.
  void push(double value, bool is_limited = false) {
    const bool usable = std::isfinite(value) && value >= 0;
    values_.push_back(usable ? value : std::numeric_limits<double>::quiet_NaN());
    limited_.push_back(usable && is_limited ? 1 : 0);
  }
  void push_gap() { push(std::numeric_limits<double>::quiet_NaN()); }
  void reserve(std::size_t count) {
    values_.reserve(count);
    limited_.reserve(count);
  }

  std::size_t size() const { return values_.size(); }
  SeriesView view() const { return {values_, limited_, season_, phase_}; }

 private:
  std::vector<double> values_;
  std::vector<std::uint8_t> limited_;
  std::size_t season_;
  std::size_t phase_;
};

}  // namespace foreflow::predictor
