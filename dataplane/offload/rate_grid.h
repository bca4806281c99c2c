// SPDX-License-Identifier: Apache-2.0
// The rates that meters of mlx5-class devices can hold: (1e9 * m) >> e bits per second, m <= 255, e <= 31. The device
// takes the nearest one, so the error is at most 0.39 % from 60 bit/s up.
// Place: dataplane/offload; what an intent's result reports as achieved.
#pragma once
#include "common/units.h"

namespace foreflow::offload {

// 255 Gbit/s, the end of the grid; what kUnlimited becomes.
inline constexpr BytesPerSecond kLargestMeterRate{255'000'000'000 / 8};

BytesPerSecond nearest_on_grid(BytesPerSecond asked);

}  // namespace foreflow::offload
