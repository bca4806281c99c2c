// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/control.h"

#include <chrono>
#include <random>
#include <thread>

#include <fmt/format.h>

#include "common/log.h"
#include "common/version.h"

namespace foreflow::pipeline {
namespace {

constexpr std::chrono::milliseconds kTick{10};
constexpr std::chrono::microseconds kReplayTick{200};  // workers wait for each report
constexpr std::uint64_t kInterval = kNanosPerSecond;
constexpr std::uint64_t kFlowsLate = 200'000'000;  // a report waits so long for the list of flows
constexpr std::chrono::seconds kLastAcknowledgement{10};

SignatureFolders signature_folders(const config::Config& config) {
  return {config.signatures, config.state_dir / "patterns"};
}

}  // namespace

Control::Control(ControlWiring wiring)
    : w_(std::move(wiring)),
      state_file_(w_.config.state_dir / "desired-state"),
      configurator_(w_.engine, w_.enforcer, w_.ports),
      reporter_(w_.engine, w_.enforcer, configurator_),
      reload_(w_.background, signature_folders(w_.config), static_cast<std::uint16_t>(w_.config.workers)) {
  if (w_.port_reload) port_changes_.emplace(w_.port_reload->ports, w_.engine, configurator_, w_.enforcer);
}

Status Control::prepare() {
  auto last = state_file_.load();
  if (!last) {
    log::warning("last desired state is not used", {{"reason", last.error().message}});
    event("desired_state_lost", last.error().message);
  }
  // Without one, an empty state still tells the workers which ports there are.
  const auto desired = last && *last ? **last : wire::DesiredState{};
  auto ready = reload_.start(configurator_, desired);
  if (!ready && !desired.signature_set.empty()) {
    log::warning("the default signatures are used", {{"reason", ready.error().message}});
    ready = reload_.start(configurator_, {});
  }
  if (!ready) return ready;
  begin(desired);
  configurator_.finish();
  w_.hello.applied = configurator_.desired().generation;
  w_.session.update_hello(w_.hello);
  return {};
}

void Control::run(Signals& signals) {
  reported_ns_ = w_.engine.now();
  const bool replay = w_.engine.timeline() != nullptr;
  while (!finished_) {
    switch (signals.take()) {
      case Request::kStop:
        return configurator_.take_flows_back();
      case Request::kReload:
        reload();
        break;
      case Request::kNone:
        break;
    }
    tick();
    if (replay)
      std::this_thread::sleep_for(kReplayTick);
    else
      std::this_thread::sleep_for(kTick);
  }
  if (!w_.session.flush(kLastAcknowledgement))
    log::warning("reports are not stored yet; they stay in the spool", {{"count", w_.session.unacknowledged()}});
}

void Control::conclude() {
  const auto now = w_.engine.now();
  const auto* timeline = w_.engine.timeline();
  // A replay that ended by itself has had its last report; one that has not begun has nothing to tell.
  if (timeline != nullptr && (!playing_ || finished_)) return;
  if (now <= reported_ns_) return;
  const auto time = timeline == nullptr ? clock_.now() : UnixNanos{static_cast<std::int64_t>(now)};
  publish_report(time, now - reported_ns_);
  reported_ns_ = now;
}

void Control::tick() {
  take_config();
  configure();
  configurator_.serve_flows(w_.engine.now());
  configurator_.lend(w_.engine.now());
  if (w_.engine.timeline() != nullptr)
    report_capture();
  else
    report_live();
}

void Control::configure() {
  if (auto done = configurator_.finish()) applied(std::move(*done));
  if (configurator_.busy()) return;
  if (port_changes_ && port_changes_->busy()) return change_ports();
  reload_signatures();
  if (configurator_.busy()) return;
  if (auto desired = w_.session.take_desired()) {
    told_by_manager_ = true;
    begin(*desired);
  } else if (configurator_.retry(w_.engine.now())) {
    reporter_.follow();
  }
}

void Control::begin(const wire::DesiredState& desired) {
  configurator_.begin(desired);
  reload_.follow(desired);
  followed();
}

void Control::followed() {
  reporter_.follow();
  for (const auto& problem : configurator_.problems()) {
    log::warning("desired state cannot be met in full", {{"reason", problem.text}});
    event(problem.kind, problem.text);
  }
}

void Control::applied(wire::Applied applied) {
  std::array<std::size_t, 3> placements{};
  for (const auto& result : applied.results) ++placements[static_cast<std::size_t>(result.placement)];
  log::info("desired state applied", {{"generation", applied.generation.value},
                                      {"vms", configurator_.desired().vms.size()},
                                      {"hw", placements[0]},
                                      {"sw", placements[1]},
                                      {"refused", placements[2]}});
  w_.hello.applied = applied.generation;
  w_.session.publish(std::move(applied));
  w_.session.update_hello(w_.hello);
  w_.background.post([file = state_file_, desired = configurator_.desired()] {
    if (auto saved = file.save(desired); !saved)
      log::error("desired state is not on disk", {{"reason", saved.error().message}});
  });
}

// The clock of the packet path says when, the wall's clock what time it is.
void Control::report_live() {
  const auto now = w_.engine.now();
  if (now - reported_ns_ < kInterval || !flows_ready(now - reported_ns_ > kInterval + kFlowsLate)) return;
  publish_report(clock_.now(), now - reported_ns_);
  reported_ns_ = now;
  watch_links();
}

void Control::report_capture() {
  auto& timeline = *w_.engine.timeline();
  if (!playing_) {
    if (!told_by_manager_ || configurator_.busy() || !reload_.is_idle() || timeline.next_due() == 0) return;
    playing_ = true;
    reported_ns_ = timeline.next_due() == kNever ? 0 : timeline.next_due();
    if (reported_ns_ != 0) timeline.start(reported_ns_, reported_ns_ + kInterval);
    log::info("captures start", {{"time", format_time(UnixNanos{static_cast<std::int64_t>(reported_ns_)})}});
    return;
  }
  const bool at_end = timeline.finished();
  if (!(at_end || timeline.at_limit()) || !flows_ready(false)) return;
  const auto now = timeline.now();
  if (now > reported_ns_) publish_report(UnixNanos{static_cast<std::int64_t>(now)}, now - reported_ns_);
  reported_ns_ = now;
  finished_ = at_end;
  if (!at_end) timeline.raise_limit(now + kInterval);
}

// Workers list their largest flows when asked, which takes them a few polls.
bool Control::flows_ready(bool overdue) {
  if (!flows_asked_) {
    for (const auto& worker : w_.engine.workers()) worker->top_flows().request();
    flows_asked_ = true;
  }
  for (const auto& worker : w_.engine.workers())
    if (!worker->top_flows().ready()) return overdue;
  return true;
}

void Control::publish_report(UnixNanos time, std::uint64_t interval_ns) {
  auto report = reporter_.report(time, interval_ns);
  tell_idle(report);
  box_.show(make_box_view(w_.engine, configurator_, report));
  w_.session.publish(std::move(report));
  flows_asked_ = false;
}

void Control::tell_idle(const wire::Report& report) {
  std::set<IntentId> idle;
  for (const auto& stats : report.intents) {
    if (!stats.idle) continue;
    idle.insert(stats.id);
    if (!idle_.contains(stats.id)) event("rule_idle", fmt::format("rule {} matches nothing", stats.id.value));
  }
  idle_ = std::move(idle);
}

void Control::reload() {
  if (w_.port_reload) w_.background.post([prepared = config_, read = w_.port_reload->read] { prepared->put(read()); });
  reload_.ask();
}

void Control::reload_signatures() {
  auto told = reload_.tick(configurator_);
  if (!told) return;
  if (told->kind == kReloadFailed)
    log::error("signatures stay as they are", {{"reason", told->text}});
  else
    log::info("signatures reloaded", {{"result", told->text}});
  event(std::move(told->kind), std::move(told->text));
}

void Control::take_config() {
  if (!port_changes_ || port_changes_->busy()) return;
  const auto read = config_->take();
  if (!read) return;
  if (!*read) {
    log::error("ports stay as they are", {{"reason", read->error().message}});
    return event("config_reload_failed", read->error().message);
  }
  port_changes_->begin((*read)->ports);
}

void Control::change_ports() {
  for (const auto& change : port_changes_->step()) tell(change);
  if (!configurator_.busy()) return;
  followed();
  w_.hello.ports = describe_ports(configurator_.ports());
  w_.session.update_hello(w_.hello);
}

void Control::tell(const PortChange& change) {
  switch (change.kind) {
    case PortChange::Kind::kAdded:
      return event("port_added", change.port.name);
    case PortChange::Kind::kRemoved:
      if (!change.reason.empty()) log::warning("port removed in part", {{"reason", change.reason}});
      reporter_.leave(change.port);
      return event("port_removed", change.port.name);
    case PortChange::Kind::kFailed:
      log::error("port cannot be changed", {{"reason", change.reason}});
      return event("port_failed", change.reason);
  }
}

void Control::watch_links() {
  auto ports = describe_ports(configurator_.ports());
  bool changed = false;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].up == w_.hello.ports[i].up) continue;  // the same ports: change_ports() keeps them so
    changed = true;
    log::info("link changed", {{"port", ports[i].name}, {"up", ports[i].up}});
    event(ports[i].up ? "port_up" : "port_down", ports[i].name);
  }
  if (!changed) return;
  w_.hello.ports = std::move(ports);
  w_.session.update_hello(w_.hello);
}

void Control::event(std::string kind, std::string text) {
  w_.session.publish(wire::Event{clock_.now(), std::move(kind), std::move(text)});
}

wire::Hello make_hello(const config::Config& config, std::span<const port::Port> ports,
                       const wire::Capabilities& capabilities) {
  wire::Hello hello;
  hello.dataplane = config.id;
  hello.version = kVersion;
  std::random_device random;
  hello.boot_id = static_cast<std::uint64_t>(random()) << 32 | random() | 1;  // not 0
  hello.capabilities = capabilities;
  hello.ports = describe_ports(ports);
  return hello;
}

std::vector<wire::PortInfo> describe_ports(std::span<const port::Port> ports) {
  std::vector<wire::PortInfo> infos;
  for (const auto& port : ports)
    infos.push_back(
        {port.name, port.driver, port.mac, port.role == config::PortRole::kUplink, port::Ports::link_up(port)});
  return infos;
}

}  // namespace foreflow::pipeline
