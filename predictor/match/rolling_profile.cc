// SPDX-License-Identifier: Apache-2.0
#include "predictor/match/rolling_profile.h"

#include <algorithm>
#include <numeric>

namespace foreflow::predictor {
namespace {

double dot(const double* a, const double* b, std::size_t length) { return std::inner_product(a, a + length, b, 0.); }

}  // namespace

RollingProfile::RollingProfile(std::size_t length, std::size_t kept)
    : length_(std::max<std::size_t>(length, 1)), kept_(std::max(kept, 2 * length_)) {}

void RollingProfile::push(double value) {
  if (values_.size() >= kept_ + kept_ / 4) trim();
  values_.push_back(value);
  if (values_.size() < length_) return;
  const double* x = values_.data();
  const std::size_t newest = values_.size() - length_;
  levels_.push_back(level_of(std::span(values_).last(length_)));
  products_.push_back(0);
  for (std::size_t i = newest; i > 0; --i)
    products_[i] = products_[i - 1] - x[i - 1] * x[newest - 1] + x[i - 1 + length_] * x[newest - 1 + length_];
  products_[0] = dot(x, x + newest, length_);
}

void RollingProfile::trim() {
  const auto dropped = static_cast<std::ptrdiff_t>(values_.size() - kept_);
  values_.erase(values_.begin(), values_.begin() + dropped);
  levels_.erase(levels_.begin(), levels_.begin() + dropped);
  start_anew();
}

// Rounding errors add up along the diagonals: directly from time to time.
void RollingProfile::start_anew() {
  products_.resize(levels_.size());
  const double* query = values_.data() + values_.size() - length_;
  for (std::size_t i = 0; i < products_.size(); ++i) products_[i] = dot(values_.data() + i, query, length_);
}

std::vector<double> RollingProfile::distances() const {
  if (levels_.size() <= length_) return {};
  std::vector<double> result(levels_.size() - length_);
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = normalised_distance(products_[i], length_, levels_[i], levels_.back());
  return result;
}

}  // namespace foreflow::predictor
