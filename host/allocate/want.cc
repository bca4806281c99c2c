// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/want.h"

#include <algorithm>

namespace foreflow::allocate {
namespace {

constexpr std::uint32_t kWhole = 1'000;

BytesPerSecond permille(BytesPerSecond rate, std::uint32_t share) {
  const unsigned __int128 product = static_cast<unsigned __int128>(rate.value) * share / kWhole;
  return product < kUnlimited.value ? BytesPerSecond{static_cast<std::uint64_t>(product)} : kUnlimited;
}

UnixNanos after(UnixNanos time, std::uint64_t delay_ns) { return {time.value + static_cast<std::int64_t>(delay_ns)}; }

BytesPerSecond target(const WantConfig& config, const WantInput& input) {
  BytesPerSecond rate = std::max(input.demand, input.floor);
  if (input.limited) rate = std::max(rate, permille(input.installed, config.limited_permille));
  return std::min(rate, input.cap);
}

BytesPerSecond less(BytesPerSecond rate, std::uint32_t share) {
  return {rate.value - permille(rate, std::min(share, kWhole)).value};
}

// Demand is below the deadband. The want falls to the highest demand of the whole hold, not to that of the moment,
// which the next peak would only raise again.
WantState descend(const WantConfig& config, const WantState& state, BytesPerSecond goal, UnixNanos now) {
  const Fall begun{after(now, config.hold_ns), goal};
  if (!state.fall) return {state.want, begun};
  const BytesPerSecond highest = std::max(state.fall->highest, goal);
  if (now < state.fall->until) return {state.want, Fall{state.fall->until, highest}};
  return {highest, begun};
}

}  // namespace

WantState next_want(const WantConfig& config, const std::optional<WantState>& previous, const WantInput& input) {
  const BytesPerSecond goal = target(config, input);
  if (!previous || goal >= previous->want) return {goal, std::nullopt};
  // A cap that has been lowered holds at once.
  const WantState held{std::min(previous->want, input.cap), previous->fall};
  if (goal >= less(held.want, config.deadband_permille)) return {held.want, std::nullopt};
  if (!input.known || input.limited) return {held.want, std::nullopt};
  if (input.contended) return {goal, std::nullopt};
  return descend(config, held, goal, input.now);
}

}  // namespace foreflow::allocate
