// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/peak_lending.h"

#include <algorithm>
#include <numeric>

namespace foreflow::offload {
namespace {

using Wide = unsigned __int128;

constexpr unsigned kFraction = 20;  // of a level: bytes per second for one unit of weight, in 2^-20

std::uint64_t green_of(const PeakClaim& claim) { return std::min(claim.offered.value, claim.cir.value); }

// What the VM would borrow if it could.
std::uint64_t wish_of(const PeakClaim& claim) {
  return std::min(claim.offered.value, claim.cap.value) - green_of(claim);
}

std::uint64_t share_of(Wide level, std::uint32_t weight) {
  return static_cast<std::uint64_t>(std::min<Wide>(level * weight >> kFraction, kUnlimited.value));
}

struct Filling {
  bool is_short = false;     // somebody is hungry
  Wide level = 0;            // then
  std::uint64_t unused = 0;  // otherwise
};

// Those who wish least for their weight are served first; the first whose wish is above an equal share of what is left
// is hungry, and so are all after him.
Filling fill(std::span<const PeakClaim> claims, std::uint64_t left) {
  std::vector<std::size_t> order(claims.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return Wide{wish_of(claims[a])} * claims[b].weight < Wide{wish_of(claims[b])} * claims[a].weight;
  });
  std::uint64_t weights = 0;
  for (const auto& claim : claims) weights += claim.weight;
  for (const auto at : order) {
    const auto& claim = claims[at];
    const auto wish = wish_of(claim);
    const auto level = (Wide{left} << kFraction) / std::max<std::uint64_t>(weights, 1);
    if (wish > share_of(level, claim.weight)) return {.is_short = true, .level = level};
    left -= std::min(left, wish);
    weights -= claim.weight;
  }
  return {.unused = left};
}

}  // namespace

std::vector<BytesPerSecond> lend_peaks(std::span<const PeakClaim> claims, BytesPerSecond capacity) {
  std::uint64_t left = capacity.value;
  for (const auto& claim : claims) left -= std::min(left, green_of(claim));
  const auto filled = fill(claims, left);
  std::vector<BytesPerSecond> peaks;
  peaks.reserve(claims.size());
  for (const auto& claim : claims) {
    const auto share = share_of(filled.level, claim.weight);
    const auto lent = filled.is_short ? share : wish_of(claim) + filled.unused;
    const auto room = claim.cap.value - claim.cir.value;
    peaks.push_back({claim.cir.value + std::min(room, lent)});
  }
  return peaks;
}

}  // namespace foreflow::offload
