// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/rate_grid.h"

#include <algorithm>
#include <cstdint>

namespace foreflow::offload {

BytesPerSecond nearest_on_grid(BytesPerSecond asked) {
  constexpr std::uint64_t kUnit = 1'000'000'000;
  constexpr unsigned kLargestMantissa = 255;
  constexpr unsigned kLargestExponent = 31;
  if (asked >= kLargestMeterRate) return kLargestMeterRate;
  const std::uint64_t bits = asked.value * 8;
  std::uint64_t best = 0;
  for (unsigned e = 0; e <= kLargestExponent; ++e) {
    const auto scaled = (static_cast<unsigned __int128>(bits) << e) / kUnit;
    if (scaled > kLargestMantissa) break;
    for (auto m = static_cast<std::uint64_t>(scaled); m <= std::min<std::uint64_t>(scaled + 1, kLargestMantissa); ++m) {
      const auto rate = (kUnit * m) >> e;
      const auto distance = [bits](std::uint64_t r) { return r > bits ? r - bits : bits - r; };
      if (distance(rate) < distance(best)) best = rate;
    }
  }
  return BytesPerSecond{best / 8};
}

}  // namespace foreflow::offload
