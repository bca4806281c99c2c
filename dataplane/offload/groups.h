// SPDX-License-Identifier: Apache-2.0
// Where rules stand in the transfer domain: groups in the order in which a packet passes them, priorities in a group.
// Place: dataplane/offload, shared by the backend and its canary.
#pragma once
#include <cstdint>

namespace foreflow::offload {

inline constexpr std::uint32_t kEntryGroup = 0;
inline constexpr std::uint32_t kFromVmGroup = 1;
inline constexpr std::uint32_t kToVmGroup = 2;
inline constexpr std::uint32_t kDeliveryGroup = 3;
inline constexpr std::uint32_t kCanaryGroup = 4'000;  // nothing jumps there

// A tagged segment is matched before segment 0, whose rules match tagged frames too. Two levels each, so that an intent
// can take the place of another one before that is removed.
inline constexpr std::uint32_t kLevels = 2;
inline constexpr std::uint32_t kTaggedPriority = 0;
inline constexpr std::uint32_t kUntaggedPriority = kTaggedPriority + kLevels;
inline constexpr std::uint32_t kPassOnPriority = kUntaggedPriority + kLevels;

}  // namespace foreflow::offload
