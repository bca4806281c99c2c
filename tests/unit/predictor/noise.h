// SPDX-License-Identifier: Apache-2.0
// Noise that is the same on every platform, and series made of it.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace foreflow::predictor::testing {

// Uniform in [0, 1): a linear congruential generator, the same integers in every language.
class Noise {
 public:
  explicit Noise(std::uint32_t seed) : state_(seed) {}
  double next() {
    state_ = (state_ * 1103515245U + 12345U) % 2147483648U;
    return state_ / 2147483648.;
  }
  // Nearly normal, mean 0, variance 1 (sum of twelve).
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += next();
    return sum;
  }

 private:
  std::uint32_t state_;
};

// 100 + `swing` sin(2 pi t / period) + uniform noise of width `width` around 0.
inline std::vector<double> wave(std::size_t count, double period, double swing, double width, std::uint32_t seed) {
  Noise noise(seed);
  std::vector<double> values(count);
  for (std::size_t t = 0; t < count; ++t)
    values[t] =
        100 + swing * std::sin(2 * std::numbers::pi * static_cast<double>(t) / period) + width * (noise.next() - .5);
  return values;
}

}  // namespace foreflow::predictor::testing
