// SPDX-License-Identifier: Apache-2.0
// Where rules stand in the transfer domain: groups in the order in which a packet passes them, priorities in a group.
// Place: dataplane/offload, shared by the backend and its canary.
#pragma once
#include <cstdint>

namespace foreflow::offload {

inline constexpr std::uint32_t kEntryGroup = 0;
inline constexpr std::uint32_t kTreatFromVmGroup = 1;
inline constexpr std::uint32_t kFromVmGroup = 2;
inline constexpr std::uint32_t kTreatToVmGroup = 3;
inline constexpr std::uint32_t kToVmGroup = 4;
inline constexpr std::uint32_t kDeliveryGroup = 5;
inline constexpr std::uint32_t kCpuGroup = 6;         // always empty: a miss delivers to the CPU
inline constexpr std::uint32_t kCanaryGroup = 4'000;  // nothing jumps there

// A tagged segment is matched before segment 0, whose rules match tagged frames too. Two levels each, so that an intent
// can take the place of another one before that is removed.
inline constexpr std::uint32_t kLevels = 2;
inline constexpr std::uint32_t kTaggedPriority = 0;
inline constexpr std::uint32_t kUntaggedPriority = kTaggedPriority + kLevels;
inline constexpr std::uint32_t kPassOnPriority = 21'843;  // the weakest that devices have

// Flows that bypass the CPU, and the rule that takes one of them back.
inline constexpr std::uint32_t kReturnPriority = 0;
inline constexpr std::uint32_t kBypassPriority = 1;

// What leaves by another port than its address leads to, before what is meant for the receiver.
inline constexpr std::uint32_t kDiversionPriority = 0;

// Treatments: the same levels once per priority of their intents.
inline constexpr std::uint32_t kFirstTreatment = kDiversionPriority + 1;
inline constexpr std::uint32_t kLevelsPerPriority = 2 * kLevels;
inline constexpr std::uint32_t kWeakestTreatment = (kPassOnPriority - kFirstTreatment) / kLevelsPerPriority - 1;

}  // namespace foreflow::offload
