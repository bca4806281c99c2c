// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/limits.h"

#include <algorithm>
#include <limits>

namespace foreflow::allocate {
namespace {

Bytes burst(BytesPerSecond rate, std::uint64_t span_ns, Bytes smallest) {
  const unsigned __int128 bytes = static_cast<unsigned __int128>(rate.value) * span_ns / kNanosPerSecond;
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  return {std::max(smallest.value, bytes > kMost ? kMost : static_cast<std::uint64_t>(bytes))};
}

}  // namespace

wire::Police police(const Share& share, Direction direction, std::uint32_t weight, const BurstConfig& config) {
  return {.vm = share.vm,
          .direction = direction,
          .cir = share.cir,
          .pir = share.pir,
          .cbs = burst(share.cir, config.committed_ns, config.smallest),
          .pbs = burst(share.pir, config.peak_ns, config.smallest),
          .weight = weight};
}

}  // namespace foreflow::allocate
