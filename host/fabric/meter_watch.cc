// SPDX-License-Identifier: Apache-2.0
#include "host/fabric/meter_watch.h"

#include <unordered_map>

#include <fmt/format.h>

namespace foreflow::fabric {
namespace {

constexpr std::size_t kReports = 5;
constexpr std::uint64_t kPercent = 5;

using Wide = unsigned __int128;

Wide bytes_at(BytesPerSecond rate, std::uint64_t nanos) { return Wide{rate.value} * nanos / kNanosPerSecond; }

}  // namespace

std::string MeterWatch::judge(const Window& window) {
  std::uint64_t bytes = 0;
  std::uint64_t nanos = 0;
  for (const auto& [passed, interval] : window.passed) {
    bytes += passed;
    nanos += interval;
  }
  if (nanos == 0) return "";
  const auto& limit = window.limit;
  const auto seconds = static_cast<double>(nanos) / static_cast<double>(kNanosPerSecond);
  const auto rate = format_rate({static_cast<std::uint64_t>(Wide{bytes} * kNanosPerSecond / nanos)});
  if (limit.pir != kUnlimited && bytes > bytes_at(limit.pir, nanos) * (100 + kPercent) / 100 + limit.pbs.value)
    return fmt::format("passed {} in {:.0f} s, decided were at most {}", rate, seconds, format_rate(limit.pir));
  if (limit.packets_per_second == 0 && bytes < bytes_at(limit.cir, nanos) * (100 - kPercent) / 100)
    return fmt::format("passed {} in {:.0f} s while it dropped, decided were at least {}", rate, seconds,
                       format_rate(limit.cir));
  return "";
}

std::vector<Deviation> MeterWatch::observe(const std::vector<wire::Police>& limits, const wire::Report& report) {
  std::vector<Deviation> found;
  std::unordered_map<VmId, const wire::VmSample*> samples;
  for (const auto& sample : report.vms) samples[sample.vm] = &sample;
  if (windows_.size() > limits.size()) windows_.clear();  // of VMs that are gone
  for (const auto& limit : limits) {
    const auto sample = samples.find(limit.vm);
    if (sample == samples.end()) continue;
    Window& window = windows_[{limit.vm, limit.direction}];
    const auto& side = sample->second->directions[index(limit.direction)];
    const bool dropped = side.drops[index(wire::DropCause::kPoliced)] != 0;
    if (window.limit != limit || !dropped) window = {.limit = limit};
    if (!dropped) continue;
    window.passed.emplace_back(side.passed_bytes, report.interval_ns);
    if (window.passed.size() > kReports) window.passed.erase(window.passed.begin());
    if (window.passed.size() < kReports) continue;
    auto text = judge(window);
    if (!text.empty() && !window.told) found.push_back({limit.vm, limit.direction, text});
    window.told = !text.empty();
  }
  return found;
}

}  // namespace foreflow::fabric
