// SPDX-License-Identifier: Apache-2.0
#include "host/api/convert.h"

#include <algorithm>

#include <fmt/format.h>

namespace foreflow::api {
namespace {

constexpr std::uint64_t kMilli = 1'000'000;

template <typename Map, std::size_t N>
void put_counts(Map& map, const std::array<std::string_view, N>& names, const std::array<std::uint64_t, N>& counts) {
  for (std::size_t i = 0; i < N; ++i)
    if (counts[i] != 0) map[std::string(names[i])] = counts[i];
}

void put(pb::DirectionTraffic& to, const model::VmLive& live, Direction direction) {
  const auto& sample = live.sample.directions[index(direction)];
  const auto& totals = live.totals[index(direction)];
  to.set_offered_rate(model::rate(sample.offered_bytes, live.interval_ns).value);
  to.set_passed_rate(model::rate(sample.passed_bytes, live.interval_ns).value);
  to.set_limited(sample.limited);
  if (sample.peak_10ms_bytes) to.set_peak_10ms_rate(model::rate(*sample.peak_10ms_bytes, 10 * kMilli).value);
  if (sample.peak_1ms_bytes) to.set_peak_1ms_rate(model::rate(*sample.peak_1ms_bytes, kMilli).value);
  auto& sums = *to.mutable_totals();
  sums.set_offered_packets(totals.offered_packets);
  sums.set_offered_bytes(totals.offered_bytes);
  sums.set_passed_packets(totals.passed_packets);
  sums.set_passed_bytes(totals.passed_bytes);
  put_counts(*sums.mutable_drops(), wire::kDropCauseNames, totals.drops);
  put_counts(*sums.mutable_app_bytes(), kCategoryNames, totals.app_bytes);
  put_counts(*sums.mutable_sizes(), wire::kSizeClassNames, totals.sizes);
  sums.set_delayed_packets(totals.delayed_packets);
  sums.set_marked_packets(totals.marked_packets);
}

void put(pb::Allocation& to, const Allocation& allocation) {
  to.set_want(allocation.want.value);
  to.set_grant(allocation.grant.value);
  to.set_cir(allocation.cir.value);
  to.set_pir(allocation.pir.value);
  to.set_why(allocation.why);
  to.set_time(allocation.time.value);
}

void put(pb::Port& to, const wire::PortInfo& port) {
  to.set_name(port.name);
  to.set_driver(port.driver);
  to.set_mac(to_string(port.mac));
  to.set_uplink(port.uplink);
  to.set_up(port.up);
}

void put(pb::Uplink& to, const wire::UplinkSpec& uplink) {
  to.set_port(uplink.port);
  to.set_egress_capacity(uplink.capacity[index(Direction::kEgress)].value);
  to.set_ingress_capacity(uplink.capacity[index(Direction::kIngress)].value);
}

void put(pb::Event& to, const wire::Event& event) {
  to.set_time(event.time.value);
  to.set_kind(event.kind);
  to.set_text(event.text);
}

constexpr const char* name_of(wire::Lending lending) {
  return lending == wire::Lending::kHardware ? "hardware" : lending == wire::Lending::kSoftware ? "software" : "none";
}

}  // namespace

pb::ManagerStatus to_proto(const ManagerStatus& status) {
  pb::ManagerStatus to;
  to.set_version(status.version);
  to.set_mode(status.mode);
  to.set_time(status.time.value);
  to.set_started(status.started.value);
  to.set_store(status.store);
  to.set_store_pending_points(status.pending_points);
  to.set_store_rejected_points(status.rejected_points);
  to.set_store_error(status.store_error);
  to.set_reports(status.reports);
  to.set_duplicate_reports(status.duplicate_reports);
  to.set_rejected_reports(status.rejected_reports);
  to.set_cycles(status.cycles);
  to.mutable_failed_allocations()->insert(status.failed_allocations.begin(), status.failed_allocations.end());
  return to;
}

pb::Vm to_proto(const VmStatus& status) {
  pb::Vm to;
  to.set_name(status.vm.name);
  to.set_id(status.vm.id.value);
  to.set_dataplane(status.vm.dataplane);
  for (const auto& attachment : status.vm.attachments) {
    auto& item = *to.add_attachments();
    item.set_port(attachment.port);
    item.set_mac(to_string(attachment.mac));
    item.set_segment(attachment.segment.value);
  }
  *to.mutable_policy() = to_proto(status.vm.policy);
  to.set_policy_changed(status.policy_changed);
  if (status.live) {
    auto& traffic = *to.mutable_traffic();
    traffic.set_time(status.live->time.value);
    put(*traffic.mutable_egress(), *status.live, Direction::kEgress);
    put(*traffic.mutable_ingress(), *status.live, Direction::kIngress);
    traffic.set_connections_active(status.live->sample.connections_active);
    traffic.set_connections_opened(status.live->connections_opened);
    traffic.set_connections_closed(status.live->connections_closed);
    traffic.set_connections_failed(status.live->connections_failed);
    traffic.set_untracked_packets(status.live->untracked_packets);
  }
  if (status.guest) *to.mutable_guest() = to_proto(*status.guest);
  if (const auto& egress = status.allocation[index(Direction::kEgress)]) put(*to.mutable_egress(), *egress);
  if (const auto& ingress = status.allocation[index(Direction::kIngress)]) put(*to.mutable_ingress(), *ingress);
  return to;
}

namespace {

std::string name_of_protocol(std::uint8_t protocol) {
  return protocol == 6 ? "tcp" : protocol == 17 ? "udp" : protocol == 1 ? "icmp" : fmt::format("protocol {}", protocol);
}

// "tcp, local port 80, remote 192.0.2.0/24"; the category apart; empty: all traffic.
std::string describe(const wire::TrafficMatch& match) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (match.ip_protocol != 0) add(name_of_protocol(match.ip_protocol));
  if (match.local_port != 0) add(fmt::format("local port {}", match.local_port));
  if (match.remote_port != 0) add(fmt::format("remote port {}", match.remote_port));
  if (match.remote_prefix != 0) add(fmt::format("remote {}/{}", to_string(match.remote), match.remote_prefix));
  return text;
}

pb::Queue queue_of(const std::string& port, std::uint8_t number, const model::DataplaneLive& live) {
  pb::Queue to;
  const auto& totals = live.queues.at(port).at(number);
  to.set_port(port);
  to.set_number(number);
  to.set_passed_packets(totals.passed_packets);
  to.set_passed_bytes(totals.passed_bytes);
  to.set_dropped_packets(totals.dropped_packets);
  to.set_dropped_bytes(totals.dropped_bytes);
  const auto uplink = live.newest_queues.find(port);
  if (uplink == live.newest_queues.end() || !uplink->second.contains(number)) return to;
  const auto& newest = uplink->second.at(number);
  to.set_rate(model::rate(newest.passed_bytes, live.interval_ns).value);
  to.set_waiting_packets(newest.waiting_packets);
  to.set_mean_wait_ns(newest.waited_ns / std::max<std::uint64_t>(newest.passed_packets, 1));
  to.set_longest_wait_ns(newest.longest_ns);
  return to;
}

}  // namespace

pb::Dataplane to_proto(const DataplaneStatus& status) {
  pb::Dataplane to;
  const auto& [dataplane, live, desired, vms] = status;
  to.set_name(dataplane.name);
  to.set_host(dataplane.host);
  to.set_connected(live.connected);
  to.set_version(live.hello.version);
  to.set_backend(live.hello.capabilities.backend);
  to.set_lending(name_of(live.hello.capabilities.lending));
  to.set_hardware_meters(live.hello.capabilities.hardware_meters);
  to.set_desired_generation(desired.value);
  to.set_applied_generation(live.applied.value);
  to.set_last_report(live.last_report.value);
  to.set_reports(live.reports);
  to.set_duplicate_reports(live.duplicate_reports);
  to.set_lost_reports(live.lost_reports);
  to.set_report_error(live.report_error);
  to.set_unknown_vm_samples(live.unknown_vm_samples);
  to.set_report_raw_bytes(live.report_raw_bytes);
  to.set_report_compressed_bytes(live.report_compressed_bytes);
  for (const auto& port : live.hello.ports) put(*to.add_ports(), port);
  for (const auto& uplink : dataplane.uplinks) put(*to.add_uplinks(), uplink);
  to.set_rx_rate(model::rate(live.sample.rx_bytes, live.interval_ns).value);
  to.set_tx_rate(model::rate(live.sample.tx_bytes, live.interval_ns).value);
  put_counts(*to.mutable_drops(), wire::kDropCauseNames, live.drops);
  for (const auto& [port, queues] : live.queues)
    for (const auto& [number, totals] : queues) *to.add_queues() = queue_of(port, number, live);
  to.set_payloads_without_state(live.payloads_without_state);
  to.set_flows_without_buffer(live.flows_without_buffer);
  for (const auto& vm : vms) to.add_vms(vm);
  for (const auto& event : live.events) put(*to.add_events(), event);
  return to;
}

pb::Forecast to_proto(const std::string& vm, Direction direction, const ForecastView& view) {
  pb::Forecast to;
  to.set_vm(vm);
  to.set_direction(direction == Direction::kEgress ? pb::EGRESS : pb::INGRESS);
  to.set_model(view.model);
  to.set_reason(view.reason);
  to.set_made_at(view.made_at.value);
  to.set_step_ns(view.step_ns);
  to.set_last(view.last.value);
  to.set_limited(view.limited);
  for (const auto& observed : view.history) {
    auto& item = *to.add_history();
    item.set_time(observed.time.value);
    item.set_rate(observed.rate.value);
  }
  for (const auto quantile : view.quantiles) to.add_quantiles(quantile);
  for (const auto& lead : view.leads) {
    auto& item = *to.add_leads();
    item.set_time(lead.time.value);
    for (const auto rate : lead.rates) item.add_rates(rate.value);
  }
  return to;
}

pb::Rule to_proto(const Rule& rule) {
  pb::Rule to;
  to.set_id(rule.asked.id.value);
  to.set_dataplane(rule.dataplane);
  to.set_vm(rule.vm);
  to.set_direction(wire::direction_of(rule.asked) == Direction::kEgress ? pb::EGRESS : pb::INGRESS);
  to.set_kind(wire::kind_of(rule.asked));
  to.set_demand(std::string(to_string(rule.asked.demand)));
  if (const auto* police = std::get_if<wire::Police>(&rule.asked.what)) {
    to.set_asked_cir(police->cir.value);
    to.set_asked_pir(police->pir.value);
  }
  if (const auto* treatment = std::get_if<wire::Treatment>(&rule.asked.what)) {
    if (treatment->match.category) to.set_category(std::string(to_string(*treatment->match.category)));
    to.set_match(describe(treatment->match));
    to.set_steer_port(treatment->steer_port);
    if (treatment->dscp) to.set_dscp(*treatment->dscp);
    if (treatment->queue) to.set_queue(*treatment->queue);
    to.set_queue_group(treatment->queue_group);
    if (treatment->mirror) {
      to.set_mirror_port(treatment->mirror->port);
      to.set_mirror_one_in(treatment->mirror->one_in);
    }
  }
  if (const auto* bypass = std::get_if<wire::Bypass>(&rule.asked.what)) {
    if (bypass->category) to.set_category(std::string(to_string(*bypass->category)));
    *to.mutable_bypass() = to_proto(model::Bypass{
        .bytes = Bytes{bypass->least_bytes}, .packets = bypass->least_packets, .idle_seconds = bypass->idle_seconds});
  }
  to.set_answered(rule.result.has_value());
  to.set_placement(rule.result ? std::string(to_string(rule.result->placement)) : "pending");
  if (rule.result) {
    to.set_achieved_cir(rule.result->achieved_cir.value);
    to.set_achieved_pir(rule.result->achieved_pir.value);
    to.set_reason(rule.result->reason);
  }
  to.set_passed_packets(rule.stats.passed_packets);
  to.set_passed_bytes(rule.stats.passed_bytes);
  to.set_dropped_packets(rule.stats.dropped_packets);
  to.set_dropped_bytes(rule.stats.dropped_bytes);
  return to;
}

pb::Flow to_proto(const Flow& flow) {
  pb::Flow to;
  const auto& sample = flow.sample;
  to.set_vm(flow.vm);
  to.set_local(sample.local);
  to.set_remote(sample.remote);
  to.set_transport(sample.transport);
  to.set_protocol(sample.protocol);
  to.set_category(std::string(to_string(sample.category)));
  to.set_app(sample.app);
  to.set_confidence(sample.confidence);
  to.set_egress_bytes(sample.bytes[index(Direction::kEgress)]);
  to.set_ingress_bytes(sample.bytes[index(Direction::kIngress)]);
  to.set_age_seconds(sample.age_seconds);
  to.set_source(sample.source);
  to.set_behaviour(sample.behaviour);
  to.set_fingerprint(sample.fingerprint);
  to.set_encrypted_hello(sample.encrypted_hello);
  return to;
}

}  // namespace foreflow::api
