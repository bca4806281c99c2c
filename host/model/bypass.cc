// SPDX-License-Identifier: Apache-2.0
#include "host/model/bypass.h"

#include <charconv>

#include <fmt/format.h>

#include "common/wire/intents.h"

namespace foreflow::model {
namespace {

constexpr std::string_view kPackets = " packets";

}  // namespace

Result<Bypass> parse_bypass(std::string_view text) {
  if (text == "off") return Bypass{.off = true};
  if (text.ends_with(kPackets)) {
    const auto digits = text.substr(0, text.size() - kPackets.size());
    std::uint32_t packets = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), packets);
    if (error == std::errc{} && end == digits.data() + digits.size() && packets >= 1 &&
        packets <= wire::kMostBypassPackets)
      return Bypass{.packets = packets};
  } else if (const auto bytes = parse_bytes(text)) {
    return Bypass{.bytes = *bytes};
  }
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("'{}' is no threshold; '10MB', '1 packets' to '{} packets' and 'off' are", text,
                          wire::kMostBypassPackets));
}

Result<std::uint32_t> parse_bypass_idle(std::string_view text) {
  const auto nanos = parse_duration(text);
  if (!nanos) return tl::unexpected(nanos.error());
  const auto seconds = *nanos / kNanosPerSecond;
  if (*nanos % kNanosPerSecond != 0 || seconds < 1 || seconds > kLongestBypassIdle)
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not between 1s and 1d in whole seconds", text));
  return static_cast<std::uint32_t>(seconds);
}

std::string exact_bypass(const Bypass& bypass) {
  if (bypass.off) return "off";
  return bypass.packets != 0 ? fmt::format("{}{}", bypass.packets, kPackets) : fmt::format("{}B", bypass.bytes.value);
}

std::string format_bypass(const Bypass& bypass) {
  return bypass.off || bypass.packets != 0 ? exact_bypass(bypass) : format_bytes(bypass.bytes);
}

}  // namespace foreflow::model
