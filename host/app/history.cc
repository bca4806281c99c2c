// SPDX-License-Identifier: Apache-2.0
#include "host/app/history.h"

#include <algorithm>
#include <map>
#include <optional>

#include "common/log.h"
#include "host/store/fields.h"

namespace foreflow::app {
namespace {

using store::Resolution;

// Raw points are dear to read: 3,600 an hour for each VM.
constexpr std::int64_t kMostRawNs = 2 * 3'600 * static_cast<std::int64_t>(kNanosPerSecond);
constexpr std::uint64_t kNanosPerMilli = 1'000'000;
constexpr std::uint64_t kMinute = 60 * kNanosPerSecond;

std::optional<std::uint64_t> integer(const store::Point& point, std::string_view name) {
  for (const auto& [key, value] : point.fields)
    if (key == name)
      if (const auto* number = std::get_if<std::int64_t>(&value); number && *number >= 0)
        return static_cast<std::uint64_t>(*number);
  return std::nullopt;
}

void observe_raw(forecast::ForecastService& forecasts, VmId vm, const store::Point& point) {
  const auto interval_ms = integer(point, store::field::kIntervalMs);
  if (!interval_ms || *interval_ms == 0) return;
  for (const auto direction : kBothDirections)
    if (const auto offered = integer(point, store::field::directed(direction, store::field::kOfferedBytes)))
      forecasts.observe(vm, direction, point.time, *interval_ms * kNanosPerMilli, *offered,
                        integer(point, store::field::directed(direction, store::field::kLimited)).value_or(0) != 0);
}

// A bucket stands for one sample that is as long as the bucket and has its p95 rate.
void observe_bucket(forecast::ForecastService& forecasts, VmId vm, const store::Point& point, std::uint64_t bucket_ns) {
  const UnixNanos end{point.time.value + static_cast<std::int64_t>(bucket_ns)};
  for (const auto direction : kBothDirections)
    if (const auto rate = integer(point, store::field::directed(direction, store::field::kP95Rate)))
      forecasts.observe(vm, direction, end, bucket_ns, *rate * (bucket_ns / kNanosPerSecond),
                        integer(point, store::field::directed(direction, store::field::kLimited)).value_or(0) != 0);
}

// Feeds the buckets of a tier that is at least as fine as the forecast's grid; returns the end of the newest.
std::optional<UnixNanos> restore_tier(forecast::ForecastService& forecasts, store::SeriesStore& store,
                                      const model::Vm& vm, const forecast::ForecastConfig& config, UnixNanos now) {
  const bool coarse = config.interval_ns >= 5 * kMinute;
  if (config.interval_ns < kMinute) return std::nullopt;
  const auto bucket_ns = coarse ? 5 * kMinute : kMinute;
  const auto depth = static_cast<std::int64_t>(config.history * config.interval_ns);
  const auto points = store.range({store::Measurement::kVmNet, coarse ? Resolution::k5Min : Resolution::k1Min, vm.name,
                                   UnixNanos{now.value - depth}, now});
  if (!points || points->empty()) return std::nullopt;
  for (const auto& point : *points) observe_bucket(forecasts, vm.id, point, bucket_ns);
  return UnixNanos{points->back().time.value + static_cast<std::int64_t>(bucket_ns)};
}

std::optional<UnixNanos> newest(const forecast::ForecastService& forecasts, VmId vm) {
  const auto history = forecasts.history(vm, Direction::kEgress, UnixNanos{0});
  return history.empty() ? std::nullopt : std::optional(history.back().start);
}

}  // namespace

void restore_history(forecast::ForecastService& forecasts, store::SeriesStore& store, const Roster& roster,
                     const std::filesystem::path& file, const forecast::ForecastConfig& config, UnixNanos now) {
  const auto loaded = forecasts.load(file.string());
  if (!loaded && loaded.error().code != ErrorCode::kNotFound)
    log::warning("forecast history is rebuilt from the store", {{"reason", loaded.error().message}});
  for (const auto& vm : roster.fleet().vms) {
    auto since = loaded ? newest(forecasts, vm.id) : restore_tier(forecasts, store, vm, config, now);
    // The end of a series is in its dataplane's time, which may lie far behind ours.
    const auto last = store.last(store::Measurement::kVmNet, vm.name);
    if (!last || !*last) continue;
    const UnixNanos end{(*last)->time.value + 1};
    const UnixNanos from{std::max(since.value_or(UnixNanos{0}).value, end.value - kMostRawNs)};
    const auto points = store.range({store::Measurement::kVmNet, Resolution::kRaw, vm.name, from, end});
    if (!points) {
      log::warning("history not read", {{"vm", vm.name}, {"reason", points.error().message}});
      continue;
    }
    for (const auto& point : *points) observe_raw(forecasts, vm.id, point);
  }
}

}  // namespace foreflow::app
