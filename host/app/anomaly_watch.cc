// SPDX-License-Identifier: Apache-2.0
#include "host/app/anomaly_watch.h"

#include <fmt/format.h>

#include "common/log.h"

namespace foreflow::app {

void AnomalyWatch::look(const Roster& roster) {
  std::erase_if(watched_, [&](const auto& item) { return roster.vm(item.first.first) == nullptr; });
  std::size_t learned = 0;
  for (const model::Vm& vm : roster.fleet().vms)
    for (const Direction direction : kBothDirections)
      if (learned < kMostAtOnce) learned += look(vm, direction);
}

std::size_t AnomalyWatch::look(const model::Vm& vm, Direction direction) {
  Watched& watched = watched_[{vm.id, direction}];
  const auto seen = parts_.forecasts.history(vm.id, direction, {watched.judged.value + 1});
  std::size_t learned = 0;
  // The newest is still being filled.
  for (std::size_t i = 0; i + 1 < seen.size(); ++i) {
    if (seen[i].start <= watched.judged) continue;
    constexpr auto kSecond = static_cast<std::int64_t>(kNanosPerSecond);
    const auto verdict = watched.detector.push(seen[i].start.value / kSecond, static_cast<double>(seen[i].rate.value));
    watched.judged = seen[i].start;
    ++watched.count;
    ++learned;
    if (is_news(watched, verdict)) tell(vm, direction, seen[i], verdict);
  }
  return learned;
}

bool AnomalyWatch::is_news(const Watched& watched, const predictor::AnomalyVerdict& verdict) const {
  return verdict.score >= predictor::kAnomalyThreshold && watched.count > kProbation && watched.judged >= from_;
}

void AnomalyWatch::tell(const model::Vm& vm, Direction direction, const forecast::Observation& seen,
                        const predictor::AnomalyVerdict& verdict) {
  const auto text =
      fmt::format("{} {}: {}, {} what is usual: {}, score {:.2f}", vm.name, to_string(direction),
                  format_rate(seen.rate), verdict.above ? "above" : "below", to_string(verdict.cause), verdict.score);
  log::warning("anomaly", {{"dataplane", vm.dataplane}, {"text", text}});
  parts_.live.on_event(vm.dataplane, {seen.start, "anomaly", text});
}

}  // namespace foreflow::app
