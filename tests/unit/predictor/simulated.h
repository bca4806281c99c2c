// SPDX-License-Identifier: Apache-2.0
// Series that reference.R makes by the same arithmetic: short ARMA and seasonal processes, some integrated.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace foreflow::predictor::testing {

struct Simulated {
  std::vector<double> values;
  std::size_t season = 1;
};

class Uniforms {
 public:
  explicit Uniforms(std::uint64_t seed) : state_(seed) {}
  double operator()() {
    state_ = state_ * 16'807 % 2'147'483'647;
    return static_cast<double>(state_) / 2'147'483'647;
  }

 private:
  std::uint64_t state_;
};

inline Simulated simulated(std::size_t i) {
  constexpr std::size_t kSeasons[] = {1, 1, 4, 12}, kBurn = 60;
  Uniforms uniform(1'000 + i);
  const std::size_t season = kSeasons[i % 4], kind = i / 4 % 5, n = 90 + 10 * (i % 5);
  const double phi = kind % 2 == 0 ? .3 + .5 * uniform() : 0;
  const double theta = kind >= 1 && kind <= 3 ? -.8 + 1.4 * uniform() : 0;
  const double seasonal_phi = season > 1 && (kind == 0 || kind == 2) ? .5 : 0;
  const double seasonal_theta = season > 1 && kind >= 3 ? -.5 : 0;
  std::vector<double> e(n + kBurn), w(n + kBurn);
  for (double& shock : e) {
    double sum = 0;
    for (int k = 0; k < 12; ++k) sum += uniform();
    shock = sum - 6;
  }
  const auto back = [](const std::vector<double>& x, std::size_t t, std::size_t lag) {
    return t >= lag ? x[t - lag] : 0;
  };
  for (std::size_t t = 0; t < w.size(); ++t)
    w[t] = e[t] + phi * back(w, t, 1) + theta * back(e, t, 1) + seasonal_phi * back(w, t, season) +
           seasonal_theta * back(e, t, season);
  Simulated result{{w.begin() + kBurn, w.end()}, season};
  if (kind >= 3)
    for (std::size_t t = 0; t < n; ++t) result.values[t] += back(result.values, t, kind == 3 ? 1 : season);
  for (double& value : result.values) value += 100;
  return result;
}

}  // namespace foreflow::predictor::testing
