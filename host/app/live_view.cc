// SPDX-License-Identifier: Apache-2.0
#include "host/app/live_view.h"

#include <algorithm>

namespace foreflow::app {
namespace {

void add(model::Totals& totals, const wire::DirectionSample& sample) {
  totals.offered_packets += sample.offered_packets;
  totals.offered_bytes += sample.offered_bytes;
  totals.passed_packets += sample.passed_packets;
  totals.passed_bytes += sample.passed_bytes;
  for (std::size_t i = 0; i < wire::kDropCauses; ++i) totals.drops[i] += sample.drops[i];
  for (std::size_t i = 0; i < kCategories; ++i) totals.app_bytes[i] += sample.app_bytes[i];
  for (std::size_t i = 0; i < wire::kSizeClasses; ++i) totals.sizes[i] += sample.sizes[i];
  totals.delayed_packets += sample.delayed_packets;
  totals.marked_packets += sample.marked_packets;
}

void add_queues(model::DataplaneLive& dataplane, const wire::PortSample& port, bool newest) {
  for (const auto& sample : port.queues) {
    auto& sum = dataplane.queues[port.port][sample.queue];
    sum.passed_packets += sample.passed_packets;
    sum.passed_bytes += sample.passed_bytes;
    sum.dropped_packets += sample.dropped_packets;
    sum.dropped_bytes += sample.dropped_bytes;
    if (newest) dataplane.newest_queues[port.port][sample.queue] = sample;
  }
}

}  // namespace

void LiveView::on_hello(const wire::Hello& hello) {
  std::lock_guard lock(mutex_);
  auto& dataplane = dataplanes_[hello.dataplane];
  dataplane.connected = true;
  dataplane.hello = hello;
  dataplane.applied = hello.applied;
}

void LiveView::on_disconnect(const std::string& name) {
  std::lock_guard lock(mutex_);
  dataplanes_[name].connected = false;
}

void LiveView::on_received(const std::string& name, std::uint64_t raw_bytes, std::uint64_t compressed_bytes) {
  std::lock_guard lock(mutex_);
  auto& dataplane = dataplanes_[name];
  dataplane.report_raw_bytes += raw_bytes;
  dataplane.report_compressed_bytes += compressed_bytes;
}

void LiveView::on_report(const std::string& name, const wire::Report& report, const Roster& roster, UnixNanos arrived) {
  std::lock_guard lock(mutex_);
  auto& dataplane = dataplanes_[name];
  dataplane.arrived = std::max(dataplane.arrived, arrived);
  ++dataplane.reports;
  dataplane.lost_reports += report.dataplane.spool_dropped_reports;
  for (std::size_t i = 0; i < wire::kDropCauses; ++i) dataplane.drops[i] += report.dataplane.drops[i];
  dataplane.payloads_without_state += report.dataplane.payloads_without_state;
  dataplane.flows_without_buffer += report.dataplane.flows_without_buffer;
  if (report.time > dataplane.last_report) {
    dataplane.last_report = report.time;
    dataplane.interval_ns = report.interval_ns;
    dataplane.sample = report.dataplane;
    dataplane.flows = report.top_flows;
    dataplane.newest_queues.clear();
  }
  for (const auto& port : report.ports) add_queues(dataplane, port, report.time == dataplane.last_report);
  for (const auto& sample : report.vms) {
    const auto* known = roster.vm(sample.vm);
    if (!known || known->dataplane != name) {
      ++dataplane.unknown_vm_samples;
      continue;
    }
    auto& vm = vms_[sample.vm];
    for (std::size_t d = 0; d < kDirections; ++d) add(vm.totals[d], sample.directions[d]);
    vm.connections_opened += sample.connections_opened;
    vm.connections_closed += sample.connections_closed;
    vm.connections_failed += sample.connections_failed;
    vm.untracked_packets += sample.untracked_packets;
    if (report.time <= vm.time) continue;
    vm.time = report.time;
    vm.interval_ns = report.interval_ns;
    vm.sample = sample;
  }
}

void LiveView::on_duplicate(const std::string& name) {
  std::lock_guard lock(mutex_);
  ++dataplanes_[name].duplicate_reports;
}

void LiveView::on_rejected(const std::string& name) {
  std::lock_guard lock(mutex_);
  ++dataplanes_[name].rejected_reports;
}

bool LiveView::on_report_error(const std::string& name, const std::string& reason) {
  std::lock_guard lock(mutex_);
  auto& error = dataplanes_[name].report_error;
  const bool turned = error.empty() != reason.empty();
  error = reason;
  return turned;
}

void LiveView::on_applied(const std::string& name, Generation generation) {
  std::lock_guard lock(mutex_);
  dataplanes_[name].applied = generation;
}

void LiveView::on_event(const std::string& name, const wire::Event& event) {
  std::lock_guard lock(mutex_);
  auto& events = dataplanes_[name].events;
  events.push_back(event);
  if (events.size() > model::kMostEvents) events.pop_front();
}

void LiveView::retain(const Roster& roster) {
  std::lock_guard lock(mutex_);
  std::erase_if(vms_, [&](const auto& item) { return roster.vm(item.first) == nullptr; });
  std::erase_if(dataplanes_, [&](const auto& item) { return roster.fleet().dataplane(item.first) == nullptr; });
}

std::optional<model::VmLive> LiveView::vm(VmId id) const {
  std::lock_guard lock(mutex_);
  const auto found = vms_.find(id);
  if (found == vms_.end()) return std::nullopt;
  return found->second;
}

model::DataplaneLive LiveView::dataplane(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = dataplanes_.find(name);
  return found == dataplanes_.end() ? model::DataplaneLive{} : found->second;
}

ReportCounts LiveView::counts() const {
  std::lock_guard lock(mutex_);
  ReportCounts counts;
  for (const auto& [name, dataplane] : dataplanes_) {
    counts.accepted += dataplane.reports;
    counts.duplicate += dataplane.duplicate_reports;
    counts.rejected += dataplane.rejected_reports;
  }
  return counts;
}

}  // namespace foreflow::app
