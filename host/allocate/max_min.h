// SPDX-License-Identifier: Apache-2.0
// Exact weighted max-min with a lower and an upper bound per flow, over links that flows share.
// Place: host/allocate; allocate() runs it once per tier and once for the spare. Integers only.
// Source: progressive filling, Bertsekas & Gallager, Data Networks, 6.5.2; here the level jumps from one full link to
// the next instead of rising in steps.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace foreflow::allocate {

// A common level rises; a flow has clamp(weight * level, lower, upper) until a link that it crosses is full.
struct Flow {
  std::uint64_t lower = 0;
  std::uint64_t upper = 0;               // >= lower
  std::uint32_t weight = 1;              // 0: stays at lower
  std::span<const std::uint32_t> links;  // indices into the capacities, each once
};

struct Filled {
  std::uint64_t value = 0;
  std::optional<std::uint32_t> bottleneck;  // the full link that stopped it below its upper bound
};

struct Filling {
  std::vector<Filled> flows;         // in the order given
  std::vector<std::uint8_t> closed;  // per link: 1 = it filled up and stopped somebody
};

// Precondition: on each link the sum of lower bounds is at most its capacity (then so is the sum of values). Values are
// rounded down to whole units, so a full link keeps less than one unit per flow that it stopped. The order of flows
// does not change anybody's value. Cost: n log n in the number of (flow, link) pairs.
Filling fill(std::span<const Flow> flows, std::span<const std::uint64_t> capacities);

}  // namespace foreflow::allocate
