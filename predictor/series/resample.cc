// SPDX-License-Identifier: Apache-2.0
#include "predictor/series/resample.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace foreflow::predictor {
namespace {

// `reduce`: from the values of a block, none of them a gap, at least one.
template <typename Reduce>
Series resample(const SeriesView& series, std::size_t factor, Reduce reduce) {
  factor = std::max<std::size_t>(factor, 1);
  Series result(std::max<std::size_t>(series.season / factor, 1), series.phase / factor);
  std::vector<double> block;
  std::size_t begin = 0;
  std::size_t length = factor - series.phase % factor;
  for (; begin + length <= series.size(); begin += length, length = factor) {
    block.clear();
    bool limited = false;
    for (std::size_t i = begin; i < begin + length; ++i) {
      if (series.is_gap(i)) continue;
      block.push_back(series.values[i]);
      limited = limited || series.is_limited(i);
    }
    if (block.empty())
      result.push_gap();
    else
      result.push(reduce(block), limited);
  }
  return result;
}

}  // namespace

Series resample_mean(const SeriesView& series, std::size_t factor) {
  return resample(series, factor, [](const std::vector<double>& block) {
    return std::accumulate(block.begin(), block.end(), 0.) / static_cast<double>(block.size());
  });
}

Series resample_max(const SeriesView& series, std::size_t factor) {
  return resample(series, factor, [](const std::vector<double>& block) { return *std::ranges::max_element(block); });
}

Series resample_quantile(const SeriesView& series, std::size_t factor, double quantile) {
  return resample(series, factor, [quantile](std::vector<double>& block) {
    const double rank = std::ceil(std::clamp(quantile, 0., 1.) * static_cast<double>(block.size()));
    const auto place = block.begin() + static_cast<std::ptrdiff_t>(std::max(rank, 1.)) - 1;
    std::ranges::nth_element(block, place);
    return *place;
  });
}

Series log1p(const SeriesView& series) {
  Series result(series.season, series.phase);
  result.reserve(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) result.push(std::log1p(series.values[i]), series.is_limited(i));
  return result;
}

}  // namespace foreflow::predictor
