// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "dataplane/offload/emulated/emulated.h"

namespace foreflow::offload::emulated {
namespace {

constexpr std::string_view kKeys =
    "rules, meters, profile, memory, clock, timestamp_ns, fail, lose, lying_validate, "
    "colour_aware, metadata, update_delay_us, insert_delay_us, counter_delay_us";

template <typename T>
std::optional<T> number(std::string_view text, T least, T largest) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < least || value > largest) return std::nullopt;
  return value;
}

tl::unexpected<Error> wrong(std::string_view key, std::string_view value, std::string_view right) {
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("FOREFLOW_ESWITCH: {}={} is wrong; it takes {}", key, value, right));
}

Status set_number(std::string_view key, std::string_view value, std::uint32_t& out) {
  const auto parsed = number<std::uint32_t>(value, 0, 1u << 24);
  if (!parsed) return wrong(key, value, "a number up to 16777216");
  out = *parsed;
  return {};
}

Status set_flag(std::string_view key, std::string_view value, bool& out) {
  if (value != "0" && value != "1") return wrong(key, value, "0 or 1");
  out = value == "1";
  return {};
}

// `key`: "fail" or "lose".
Status add_failure(std::string_view key, std::string_view value, std::vector<Failure>& out) {
  const auto at = value.find('@');
  const auto name = std::find(kCallNames.begin(), kCallNames.end(), value.substr(0, at));
  const auto nth = at == std::string_view::npos
                       ? std::nullopt
                       : number<std::uint64_t>(value.substr(at + 1), 1, std::numeric_limits<std::uint64_t>::max());
  if (name == kCallNames.end() || !nth) {
    return wrong(key, value, fmt::format("CALL@N, CALL one of {}", fmt::join(kCallNames, ", ")));
  }
  out.push_back({.call = static_cast<Call>(name - kCallNames.begin()), .nth = *nth, .loses_all = key == "lose"});
  return {};
}

Status set_clock_source(std::string_view value, TimeSource& out) {
  if (value != "tsc" && value != "rx_timestamp") return wrong("clock", value, "tsc or rx_timestamp");
  out = value == "tsc" ? TimeSource::kTsc : TimeSource::kRxTimestamp;
  return {};
}

Status set_profile(std::string_view value, Profile& out) {
  const auto name = std::ranges::find(kProfileNames, value);
  if (name == kProfileNames.end()) return wrong("profile", value, fmt::format("{}", fmt::join(kProfileNames, ", ")));
  out = static_cast<Profile>(name - kProfileNames.begin());
  return {};
}

Status set_memory(std::string_view value, std::string& out) {
  if (value.empty()) return wrong("memory", value, "the name of a file");
  out = value;
  return {};
}

Status set_one(std::string_view key, std::string_view value, EswitchConfig& config) {
  if (key == "rules") return set_number(key, value, config.rules);
  if (key == "meters") return set_number(key, value, config.meters);
  if (key == "clock") return set_clock_source(value, config.time);
  if (key == "fail" || key == "lose") return add_failure(key, value, config.failures);
  if (key == "profile") return set_profile(value, config.profile);
  if (key == "memory") return set_memory(value, config.memory);
  if (key == "lying_validate") return set_flag(key, value, config.validate_lies);
  if (key == "colour_aware") return set_flag(key, value, config.colour_aware);
  if (key == "metadata") return set_flag(key, value, config.metadata);
  if (key == "update_delay_us") return set_number(key, value, config.update_delay_us);
  if (key == "insert_delay_us") return set_number(key, value, config.insert_delay_us);
  if (key == "counter_delay_us") return set_number(key, value, config.counter_delay_us);
  if (key == "timestamp_ns") {
    const auto parsed = number<std::uint64_t>(value, 1, 1'000'000'000);
    if (!parsed) return wrong(key, value, "nanoseconds from 1 to 1000000000");
    config.timestamp_ns = *parsed;
    return {};
  }
  return fail(ErrorCode::kInvalidConfig, fmt::format("FOREFLOW_ESWITCH: unknown key '{}'; known: {}", key, kKeys));
}

}  // namespace

Result<EswitchConfig> parse_config(std::string_view text) {
  EswitchConfig config;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    const auto entry = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto equals = entry.find('=');
    if (equals == std::string_view::npos) {
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("FOREFLOW_ESWITCH: '{}' is not key=value; known keys: {}", entry, kKeys));
    }
    if (auto set = set_one(entry.substr(0, equals), entry.substr(equals + 1), config); !set) {
      return tl::unexpected(set.error());
    }
  }
  return config;
}

}  // namespace foreflow::offload::emulated
