// SPDX-License-Identifier: Apache-2.0
#include "host/app/ingest.h"

#include <fmt/format.h>

#include "common/log.h"
#include "host/store/report_points.h"

namespace foreflow::app {
namespace {

// A clock that is further ahead than this would write into a future that forecasts have not reached.
constexpr std::int64_t kMostAheadNs = 300 * static_cast<std::int64_t>(kNanosPerSecond);

std::string too_far_ahead(UnixNanos time, UnixNanos now) {
  constexpr auto kSecond = static_cast<std::int64_t>(kNanosPerSecond);
  return fmt::format("its time {} is {} s ahead of this manager's clock, expected at most {} s: set the clocks right",
                     format_time(time), (time.value - now.value) / kSecond, kMostAheadNs / kSecond);
}

}  // namespace

Ingest::Ingest(Parts parts, Hooks hooks) : parts_(parts), hooks_(std::move(hooks)) {}

Status Ingest::on_hello(const wire::Hello& hello) {
  if (!parts_.rosters.current()->fleet().dataplane(hello.dataplane))
    return fail(ErrorCode::kDenied, fmt::format("this manager has no dataplane '{}'; its configuration needs a "
                                                "[[dataplane]] with that name",
                                                hello.dataplane));
  log::info(
      "dataplane says hello",
      {{"dataplane", hello.dataplane}, {"backend", hello.capabilities.backend}, {"applied", hello.applied.value}});
  parts_.live.on_hello(hello);
  if (auto answered = parts_.actuator.on_hello(hello); !answered) return answered;
  hooks_.connected();
  return {};
}

Status Ingest::on_report(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) {
  auto taken = take(dataplane, boot_id, report);
  note(dataplane, taken);
  return taken;
}

// A report that is not taken comes again and again: one line of log for all of them.
void Ingest::note(const std::string& dataplane, const Status& taken) {
  if (!parts_.live.on_report_error(dataplane, taken ? std::string() : taken.error().message)) return;
  if (taken)
    log::info("reports are taken again", {{"dataplane", dataplane}});
  else
    log::error("reports are not taken, the dataplane keeps them",
               {{"dataplane", dataplane}, {"reason", taken.error().message}});
}

Status Ingest::take(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) {
  const auto roster = parts_.rosters.current();
  const auto* known = roster->fleet().dataplane(dataplane);
  if (!known)
    return fail(ErrorCode::kDenied, fmt::format("dataplane '{}' was removed from the configuration", dataplane));
  const store::Watermark mark{dataplane, boot_id, report.sequence};
  const auto duplicate = is_duplicate(mark);
  if (!duplicate) return tl::unexpected(duplicate.error());
  if (*duplicate) {
    parts_.live.on_duplicate(dataplane);
    return {};
  }
  if (const auto now = parts_.clock.now(); report.time.value > now.value + kMostAheadNs)
    return fail(ErrorCode::kUnavailable, too_far_ahead(report.time, now));
  const auto name_of = [&](VmId id) -> std::optional<std::string> {
    const auto* vm = roster->vm(id);
    return vm && vm->dataplane == dataplane ? std::optional(vm->name) : std::nullopt;
  };
  const auto points = store::report_points(report, {known->host, dataplane}, name_of);
  auto kept = keep(points, mark);
  // Points that can never be stored must not be sent again and again.
  if (!kept && kept.error().code == ErrorCode::kMalformed) {
    log::error("report refused by the store", {{"dataplane", dataplane}, {"reason", kept.error().message}});
    parts_.live.on_rejected(dataplane);
    return keep({}, mark);
  }
  if (!kept) return kept;
  hooks_.stored(points);
  learn(dataplane, report, *roster);
  return {};
}

Result<bool> Ingest::is_duplicate(const store::Watermark& mark) {
  {
    std::lock_guard lock(mutex_);
    const auto found = marks_.find(mark.dataplane);
    if (found != marks_.end() && found->second.boot_id == mark.boot_id) return mark.sequence <= found->second.sequence;
  }
  const auto stored = parts_.store.watermark(mark.dataplane, mark.boot_id);
  if (!stored) return tl::unexpected(stored.error());
  std::lock_guard lock(mutex_);
  marks_[mark.dataplane] = {mark.dataplane, mark.boot_id, *stored};
  return mark.sequence <= *stored;
}

Status Ingest::keep(const std::vector<store::Point>& points, const store::Watermark& mark) {
  auto kept = parts_.store.append(points, mark);
  if (!kept) return kept;
  std::lock_guard lock(mutex_);
  marks_[mark.dataplane] = mark;
  return {};
}

void Ingest::learn(const std::string& dataplane, const wire::Report& report, const Roster& roster) {
  for (const auto& sample : report.vms) {
    const auto* vm = roster.vm(sample.vm);
    if (!vm || vm->dataplane != dataplane) continue;
    for (const auto direction : kBothDirections) {
      const auto& side = sample.directions[index(direction)];
      parts_.forecasts.observe(sample.vm, direction, report.time, report.interval_ns, side.offered_bytes, side.limited);
    }
  }
  for (const auto& deviation : parts_.actuator.on_report(dataplane, report))
    if (const auto* vm = roster.vm(deviation.vm))
      on_event(dataplane, {parts_.clock.now(), "limit_deviation",
                           fmt::format("{} {}: {}", vm->name, to_string(deviation.direction), deviation.text)});
  parts_.live.on_report(dataplane, report, roster, parts_.clock.now());
}

void Ingest::on_received(const std::string& dataplane, const link::ReportSize& size) {
  parts_.live.on_received(dataplane, size.raw, size.compressed);
}

void Ingest::on_applied(const std::string& dataplane, const wire::Applied& applied) {
  std::size_t refused = 0;
  for (const auto& result : applied.results) refused += result.placement == wire::Placement::kRefused;
  log::info("desired state applied", {{"dataplane", dataplane},
                                      {"generation", applied.generation.value},
                                      {"intents", applied.results.size()},
                                      {"refused", refused}});
  parts_.actuator.on_applied(dataplane, applied);
  parts_.live.on_applied(dataplane, applied.generation);
}

void Ingest::on_event(const std::string& dataplane, const wire::Event& event) {
  log::warning("event", {{"dataplane", dataplane}, {"kind", event.kind}, {"text", event.text}});
  parts_.live.on_event(dataplane, event);
}

void Ingest::on_disconnect(const std::string& dataplane) { parts_.live.on_disconnect(dataplane); }

}  // namespace foreflow::app
