// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/limits.h"

#include <algorithm>

#include "common/wire/limits.h"

namespace foreflow::allocate {
namespace {

Bytes burst(BytesPerSecond rate, std::uint64_t span_ns, Bytes smallest) {
  const unsigned __int128 bytes = static_cast<unsigned __int128>(rate.value) * span_ns / kNanosPerSecond;
  const auto most = std::min<unsigned __int128>(bytes, wire::kLargestBurst);
  return {std::max(smallest.value, static_cast<std::uint64_t>(most))};
}

}  // namespace

wire::Police police(const Share& share, Direction direction, const MeterOptions& options, const BurstConfig& config) {
  const auto peak_ns = options.shape ? config.shaped_ns : config.peak_ns;
  return {.vm = share.vm,
          .direction = direction,
          .cir = share.cir,
          .pir = share.pir,
          .cbs = burst(share.cir, config.committed_ns, config.smallest),
          .pbs = burst(share.pir, peak_ns, config.smallest),
          .weight = options.weight,
          .packets_per_second = options.packets_per_second,
          .packet_burst = options.packets_per_second == 0
                              ? 0
                              : burst({options.packets_per_second}, peak_ns, config.fewest_packets).value,
          .shape = options.shape};
}

}  // namespace foreflow::allocate
