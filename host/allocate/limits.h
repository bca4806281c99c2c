// SPDX-License-Identifier: Apache-2.0
// From a share to what the dataplane's meter is told: rates as allocated, bursts in proportion to them.
// Place: host/allocate; its result becomes an intent of the desired state.
#pragma once
#include <cstdint>

#include "common/ids.h"
#include "common/units.h"
#include "common/wire/messages.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate {

// The burst decides TCP throughput: a policer with 0.1 s of burst passes half of its rate, with 0.8 s all of it. The
// committed burst is shorter because every VM may spend it at once; a shaper's queue does what the burst does for a
// policer.
struct BurstConfig {
  std::uint64_t committed_ns = 50'000'000;  // CBS = this much of CIR
  std::uint64_t peak_ns = 800'000'000;      // PBS = this much of PIR
  std::uint64_t shaped_ns = 10'000'000;     // PBS of a VM that is shaped
  Bytes fewest_packets{32};                 // of a burst of packets: one of the dataplane's
  Bytes smallest{2 * 9'018};                // two jumbo frames: a bucket below one frame would never pass it
};

// What of a policy goes to the meter as it is.
struct MeterOptions {
  std::uint32_t weight = 1;
  std::uint64_t packets_per_second = 0;  // 0 = no limit; its burst lasts as long as PBS
  bool shape = false;
};

wire::Police police(const Share& share, Direction direction, const MeterOptions& options,
                    const BurstConfig& config = {});

}  // namespace foreflow::allocate
