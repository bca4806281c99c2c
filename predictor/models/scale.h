// SPDX-License-Identifier: Apache-2.0
// The scale on which a model does its arithmetic: demand as it is, or its logarithm.
// Place: predictor/models. VMs' demand is bursty by factors, not by sums: there log1p raises the lag-1 autocorrelation
// from about .5 to .7; smooth aggregates may be better off raw.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "predictor/series/series.h"

namespace foreflow::predictor {

enum class Scale { kRaw, kLog1p };

inline double to_scale(Scale scale, double value) { return scale == Scale::kRaw ? value : std::log1p(value); }
inline double from_scale(Scale scale, double z) { return scale == Scale::kRaw ? z : std::expm1(z); }

// "" or "_log", which tells two specifications of one family apart.
inline const char* suffix(Scale scale) { return scale == Scale::kRaw ? "" : "_log"; }

// What a model is estimated from. A limited point is missing here: it is no plain training target.
struct Scaled {
  std::vector<double> z;  // NaN = missing
  std::size_t season = 1;
  std::size_t known = 0;  // how many are not NaN

  // At most the newest n points.
  Scaled last(std::size_t n) const {
    Scaled result{{z.end() - static_cast<std::ptrdiff_t>(std::min(n, z.size())), z.end()}, season, 0};
    for (const double value : result.z) result.known += !std::isnan(value);
    return result;
  }
};

inline Scaled scaled(const SeriesView& series, Scale scale) {
  Scaled result{{}, series.season, 0};
  result.z.reserve(series.size());
  for (std::size_t i = 0; i < series.size(); ++i) {
    const bool usable = !series.is_gap(i) && !series.is_limited(i);
    result.z.push_back(usable ? to_scale(scale, series.values[i]) : std::nan(""));
    result.known += usable;
  }
  return result;
}

}  // namespace foreflow::predictor
