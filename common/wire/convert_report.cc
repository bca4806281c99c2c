// SPDX-License-Identifier: Apache-2.0
// Report and what it consists of.
#include "common/wire/convert.h"
#include "common/wire/limits.h"
#include "common/wire/validate.h"

namespace foreflow::wire {
namespace {

template <std::size_t N, typename Repeated>
void put_counters(const std::array<std::uint64_t, N>& values, Repeated* out) {
  out->Add(values.begin(), values.end());
}

void put(const DirectionSample& sample, v1::DirectionSample* out) {
  out->set_offered_packets(sample.offered_packets);
  out->set_offered_bytes(sample.offered_bytes);
  out->set_passed_packets(sample.passed_packets);
  out->set_passed_bytes(sample.passed_bytes);
  put_counters(sample.drops, out->mutable_drops());
  if (sample.peak_10ms_bytes) out->set_peak_10ms_bytes(*sample.peak_10ms_bytes);
  out->set_limited(sample.limited);
  put_counters(sample.app_bytes, out->mutable_app_bytes());
  if (sample.peak_1ms_bytes) out->set_peak_1ms_bytes(*sample.peak_1ms_bytes);
  put_counters(sample.sizes, out->mutable_sizes());
  out->set_delayed_packets(sample.delayed_packets);
  out->set_marked_packets(sample.marked_packets);
}

DirectionSample get(const v1::DirectionSample& in, const Place& place, Validator& validator) {
  DirectionSample sample;
  sample.offered_packets = in.offered_packets();
  sample.offered_bytes = in.offered_bytes();
  sample.passed_packets = in.passed_packets();
  sample.passed_bytes = in.passed_bytes();
  sample.drops = validator.counters<kDropCauses>(place / "drops", in.drops());
  sample.peak_10ms_bytes = in.has_peak_10ms_bytes() ? std::optional(in.peak_10ms_bytes()) : std::nullopt;
  sample.limited = in.limited();
  sample.app_bytes = validator.counters<kCategories>(place / "app_bytes", in.app_bytes());
  sample.peak_1ms_bytes = in.has_peak_1ms_bytes() ? std::optional(in.peak_1ms_bytes()) : std::nullopt;
  sample.sizes = validator.counters<kSizeClasses>(place / "sizes", in.sizes());
  sample.delayed_packets = in.delayed_packets();
  sample.marked_packets = in.marked_packets();
  return sample;
}

void put(const VmSample& sample, v1::VmSample* out) {
  out->set_vm(sample.vm.value);
  put(sample.directions[index(Direction::kEgress)], out->mutable_egress());
  put(sample.directions[index(Direction::kIngress)], out->mutable_ingress());
  out->set_connections_opened(sample.connections_opened);
  out->set_connections_active(sample.connections_active);
  out->set_connections_closed(sample.connections_closed);
  out->set_connections_failed(sample.connections_failed);
  out->set_untracked_packets(sample.untracked_packets);
}

VmSample get(const v1::VmSample& in, const Place& place, Validator& validator) {
  return VmSample{
      .vm = VmId{in.vm()},
      .directions = {get(in.egress(), place / "egress", validator), get(in.ingress(), place / "ingress", validator)},
      .connections_opened = in.connections_opened(),
      .connections_active = in.connections_active(),
      .connections_closed = in.connections_closed(),
      .connections_failed = in.connections_failed(),
      .untracked_packets = in.untracked_packets()};
}

void put(const FlowSample& flow, v1::FlowSample* out) {
  out->set_vm(flow.vm.value);
  out->set_local(valid_text(flow.local, kLongestName));
  out->set_remote(valid_text(flow.remote, kLongestName));
  out->set_transport(valid_text(flow.transport, kLongestName));
  out->set_protocol(valid_text(flow.protocol, kLongestName));
  out->set_category(static_cast<std::uint32_t>(flow.category));
  out->set_app(valid_text(flow.app, kLongestName));
  out->set_confidence(flow.confidence);
  out->set_egress_bytes(flow.bytes[index(Direction::kEgress)]);
  out->set_ingress_bytes(flow.bytes[index(Direction::kIngress)]);
  out->set_age_seconds(flow.age_seconds);
  out->set_source(valid_text(flow.source, kLongestName));
  out->set_behaviour(valid_text(flow.behaviour, kLongestName));
  out->set_fingerprint(valid_text(flow.fingerprint, kLongestName));
  out->set_encrypted_hello(flow.encrypted_hello);
}

FlowSample get(const v1::FlowSample& in, const Place& place, Validator& validator) {
  FlowSample flow;
  flow.vm = VmId{in.vm()};
  flow.local = validator.text(place / "local", in.local(), kLongestName);
  flow.remote = validator.text(place / "remote", in.remote(), kLongestName);
  flow.transport = validator.text(place / "transport", in.transport(), kLongestName);
  flow.protocol = validator.text(place / "protocol", in.protocol(), kLongestName);
  flow.category = validator.choice<Category>(place / "category", in.category(), kCategories);
  flow.app = validator.text(place / "app", in.app(), kLongestName);
  flow.confidence = static_cast<std::uint8_t>(validator.within(place / "confidence", in.confidence(), 0, 100));
  flow.bytes = {in.egress_bytes(), in.ingress_bytes()};
  flow.age_seconds = in.age_seconds();
  flow.source = validator.text(place / "source", in.source(), kLongestName);
  flow.behaviour = validator.text(place / "behaviour", in.behaviour(), kLongestName);
  flow.fingerprint = validator.text(place / "fingerprint", in.fingerprint(), kLongestName);
  flow.encrypted_hello = in.encrypted_hello();
  return flow;
}

void put(const QueueSample& sample, v1::QueueSample* out) {
  out->set_queue(sample.queue);
  out->set_passed_packets(sample.passed_packets);
  out->set_passed_bytes(sample.passed_bytes);
  out->set_dropped_packets(sample.dropped_packets);
  out->set_dropped_bytes(sample.dropped_bytes);
  out->set_waited_ns(sample.waited_ns);
  out->set_longest_ns(sample.longest_ns);
  out->set_waiting_packets(sample.waiting_packets);
}

QueueSample get(const v1::QueueSample& in, const Place& place, Validator& validator) {
  return QueueSample{.queue = static_cast<std::uint8_t>(validator.within(place / "queue", in.queue(), 0, kLastQueue)),
                     .passed_packets = in.passed_packets(),
                     .passed_bytes = in.passed_bytes(),
                     .dropped_packets = in.dropped_packets(),
                     .dropped_bytes = in.dropped_bytes(),
                     .waited_ns = in.waited_ns(),
                     .longest_ns = in.longest_ns(),
                     .waiting_packets = in.waiting_packets()};
}

void put(const PortSample& sample, v1::PortSample* out) {
  out->set_port(valid_text(sample.port, kLongestName));
  out->set_rx_packets(sample.rx_packets);
  out->set_rx_bytes(sample.rx_bytes);
  out->set_tx_packets(sample.tx_packets);
  out->set_tx_bytes(sample.tx_bytes);
  out->set_full_packets(sample.full_packets);
  out->set_unattributed_packets(sample.unattributed_packets);
  for (const auto& queue : sample.queues) put(queue, out->add_queues());
}

PortSample get(const v1::PortSample& in, const Place& place, Validator& validator) {
  PortSample port{.port = validator.name(place / "port", in.port()),
                  .rx_packets = in.rx_packets(),
                  .rx_bytes = in.rx_bytes(),
                  .tx_packets = in.tx_packets(),
                  .tx_bytes = in.tx_bytes(),
                  .full_packets = in.full_packets(),
                  .unattributed_packets = in.unattributed_packets(),
                  .queues = {}};
  if (const auto queues = place / "queues";
      validator.count(queues, static_cast<std::size_t>(in.queues_size()), kQueues))
    for (const auto& queue : in.queues()) port.queues.push_back(get(queue, queues[port.queues.size()], validator));
  return port;
}

void put(const DataplaneSample& sample, v1::DataplaneSample* out) {
  out->set_rx_packets(sample.rx_packets);
  out->set_rx_bytes(sample.rx_bytes);
  out->set_tx_packets(sample.tx_packets);
  out->set_tx_bytes(sample.tx_bytes);
  out->set_flood_copies(sample.flood_copies);
  put_counters(sample.drops, out->mutable_drops());
  out->set_spool_dropped_reports(sample.spool_dropped_reports);
  out->set_payloads_without_state(sample.payloads_without_state);
  out->set_flows_without_buffer(sample.flows_without_buffer);
}

DataplaneSample get(const v1::DataplaneSample& in, const Place& place, Validator& validator) {
  return DataplaneSample{.rx_packets = in.rx_packets(),
                         .rx_bytes = in.rx_bytes(),
                         .tx_packets = in.tx_packets(),
                         .tx_bytes = in.tx_bytes(),
                         .flood_copies = in.flood_copies(),
                         .drops = validator.counters<kDropCauses>(place / "drops", in.drops()),
                         .spool_dropped_reports = in.spool_dropped_reports(),
                         .payloads_without_state = in.payloads_without_state(),
                         .flows_without_buffer = in.flows_without_buffer()};
}

void put(const IntentStats& stats, v1::IntentStats* out) {
  out->set_id(stats.id.value);
  out->set_passed_packets(stats.passed_packets);
  out->set_passed_bytes(stats.passed_bytes);
  out->set_dropped_packets(stats.dropped_packets);
  out->set_dropped_bytes(stats.dropped_bytes);
  out->set_idle(stats.idle);
}

IntentStats get(const v1::IntentStats& in) {
  return IntentStats{.id = IntentId{in.id()},
                     .passed_packets = in.passed_packets(),
                     .passed_bytes = in.passed_bytes(),
                     .dropped_packets = in.dropped_packets(),
                     .dropped_bytes = in.dropped_bytes(),
                     .idle = in.idle()};
}

}  // namespace

v1::Report to_proto(const Report& report) {
  v1::Report out;
  out.set_time(report.time.value);
  out.set_interval_ns(report.interval_ns);
  put(report.dataplane, out.mutable_dataplane());
  out.mutable_vms()->Reserve(static_cast<int>(report.vms.size()));
  for (const auto& vm : report.vms) put(vm, out.add_vms());
  for (const auto& flow : report.top_flows) put(flow, out.add_top_flows());
  for (const auto& stats : report.intents) put(stats, out.add_intents());
  for (const auto& port : report.ports) put(port, out.add_ports());
  return out;
}

Result<Report> from_proto(const v1::Report& in) {
  Validator validator;
  const Place place("report");
  Report report;
  report.time = UnixNanos{in.time()};
  report.interval_ns = in.interval_ns();
  report.dataplane = get(in.dataplane(), place / "dataplane", validator);
  if (const auto vms = place / "vms"; validator.count(vms, static_cast<std::size_t>(in.vms_size()), kMostVms))
    for (const auto& vm : in.vms()) report.vms.push_back(get(vm, vms[report.vms.size()], validator));
  if (const auto flows = place / "top_flows";
      validator.count(flows, static_cast<std::size_t>(in.top_flows_size()), kMostFlows))
    for (const auto& flow : in.top_flows())
      report.top_flows.push_back(get(flow, flows[report.top_flows.size()], validator));
  if (validator.count(place / "intents", static_cast<std::size_t>(in.intents_size()), kMostIntents))
    for (const auto& stats : in.intents()) report.intents.push_back(get(stats));
  if (const auto ports = place / "ports"; validator.count(ports, static_cast<std::size_t>(in.ports_size()), kMostPorts))
    for (const auto& port : in.ports()) report.ports.push_back(get(port, ports[report.ports.size()], validator));
  return validator.finish(std::move(report));
}

}  // namespace foreflow::wire
