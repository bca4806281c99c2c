// SPDX-License-Identifier: Apache-2.0
// Which flows may leave the CPU for the device, as a policy says it.
// Place: host/model, part of fleet.h.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/units.h"

namespace foreflow::model {

struct Bypass {
  bool off = false;                 // none; the rest does not count then
  Bytes bytes{};                    // that a flow has carried, both directions
  std::uint32_t packets = 0;        // beside that; at most wire::kMostBypassPackets
  std::uint32_t idle_seconds = 10;  // a flow comes back when nothing came for so long; 1 to kLongestBypassIdle
  bool operator==(const Bypass&) const = default;
};
inline constexpr std::uint32_t kLongestBypassIdle = 86'400;

// The threshold: `10MB`, `200 packets`, `off`. kInvalidArgument quotes the text and says what would be right.
Result<Bypass> parse_bypass(std::string_view text);
// Whole seconds of a duration: `30s`, `5m`. Errors as above.
Result<std::uint32_t> parse_bypass_idle(std::string_view text);

// The threshold as it is parsed again, and for people: `10000000B`, `10 MB`.
std::string exact_bypass(const Bypass& bypass);
std::string format_bypass(const Bypass& bypass);

}  // namespace foreflow::model
