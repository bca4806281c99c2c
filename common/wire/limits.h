// SPDX-License-Identifier: Apache-2.0
// How much the wire protocol carries at most: what is larger is refused, so that a peer can never make the other side
// grow. Place: common/wire.
#pragma once
#include <cstddef>
#include <cstdint>

namespace foreflow::wire {

inline constexpr std::size_t kMostVms = 4'096;
inline constexpr std::size_t kMostAttachments = 64;  // of one VM
inline constexpr std::size_t kMostIntents = 65'536;
inline constexpr std::size_t kMostPorts = 4'096;
inline constexpr std::size_t kMostUplinks = 64;
inline constexpr std::size_t kMostRemotes = 64;  // of a tunnel
inline constexpr std::size_t kMostGroups = 1'024;

// Strings, in bytes of UTF-8.
inline constexpr std::size_t kLongestName = 255;
inline constexpr std::size_t kLongestText = 1'024;

inline constexpr std::size_t kLargestMessage = 4u << 20;     // on the stream
inline constexpr std::size_t kLargestRawReport = 16u << 20;  // serialised, before compression
inline constexpr std::uint64_t kLargestBurst = 1ull << 40;   // bytes; a bucket no device could hold is a mistake

}  // namespace foreflow::wire
