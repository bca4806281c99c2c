// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/reporter.h"

#include <algorithm>

#include "dataplane/classify/behaviour.h"
#include "dataplane/pipeline/flow_text.h"

namespace foreflow::pipeline {
namespace {

// A device that was reset starts again at 0.
std::uint64_t growth(std::uint64_t now, std::uint64_t before) { return now >= before ? now - before : now; }

wire::DataplaneSample totals_of(Engine& engine) {
  wire::DataplaneSample sum;
  for (const auto& worker : engine.workers()) {
    const auto& total = worker->books().total();
    for (const auto& port : total.ports) {
      sum.rx_packets += port.rx_packets.read();
      sum.rx_bytes += port.rx_bytes.read();
      sum.tx_packets += port.tx_packets.read();
      sum.tx_bytes += port.tx_bytes.read();
    }
    sum.flood_copies += total.flood_copies.read();
    for (std::size_t cause = 0; cause < wire::kDropCauses; ++cause) sum.drops[cause] += total.drops[cause].read();
    sum.payloads_without_state += worker->classifying().without_conversation();
    sum.flows_without_buffer += worker->classifying().without_buffer();
  }
  return sum;
}

wire::PortSample totals_of(Engine& engine, const port::Port& port) {
  wire::PortSample sum{.port = port.name};
  for (const auto& worker : engine.workers()) {
    const auto& counters = worker->books().total().ports[port.id];
    sum.rx_packets += counters.rx_packets.read();
    sum.rx_bytes += counters.rx_bytes.read();
    sum.tx_packets += counters.tx_packets.read();
    sum.tx_bytes += counters.tx_bytes.read();
    sum.full_packets += counters.full_packets.read();
    sum.unattributed_packets += counters.unattributed_packets.read();
  }
  return sum;
}

}  // namespace

wire::Report Reporter::report(UnixNanos time, std::uint64_t interval_ns) {
  wire::Report report;
  report.time = time;
  report.interval_ns = interval_ns;
  report.dataplane = dataplane();
  report.ports = ports();
  ByIntent intents;
  read_device(intents);
  for (const auto& [vm, slot] : configurator_.slots().held())
    if (const auto sampler = samplers_.find(vm); sampler != samplers_.end())
      report.vms.push_back(sampler->second.sample(engine_.vms()[slot], unseen(vm, slot)));
  for (const auto& [id, intent] : software_) {
    auto now = read_software(intent.limit);
    now.passed_packets -= std::min(intent.before.passed_packets, now.passed_packets);
    now.passed_bytes -= std::min(intent.before.passed_bytes, now.passed_bytes);
    now.dropped_packets -= intent.before.dropped_packets;
    now.dropped_bytes -= intent.before.dropped_bytes;
    intents[id] = now;  // in force there, although the device may not have given its meter up
  }
  for (const auto& treatment : enforcer_.software_treatments())
    intents[treatment.intent] = read_software(treatment, interval_ns);
  for (const auto& [id, stats] : intents) report.intents.push_back(stats);
  report.top_flows = top_flows();
  return report;
}

void Reporter::follow() {
  const auto& held = configurator_.slots().held();
  std::erase_if(samplers_, [&](const auto& entry) { return !held.contains(entry.first); });
  std::erase_if(device_drops_, [&](const auto& entry) { return !held.contains(entry.first); });
  std::erase_if(device_filtered_, [&](const auto& entry) { return !held.contains(entry.first); });
  for (const auto& [vm, slot] : held) samplers_.try_emplace(vm, vm, engine_.vms()[slot], unseen(vm, slot));

  std::map<IntentId, SoftwareIntent> software;
  for (const auto& limit : enforcer_.software_limits()) {
    const auto known = software_.find(limit.intent);
    const bool same = known != software_.end() && known->second.limit.vm == limit.vm &&
                      known->second.limit.direction == limit.direction;
    software.emplace(limit.intent, SoftwareIntent{limit, same ? known->second.before : read_software(limit)});
  }
  software_ = std::move(software);
  std::erase_if(silences_, [&](const auto& entry) {
    return std::ranges::none_of(enforcer_.software_treatments(),
                                [&](const auto& treatment) { return treatment.intent == entry.first; });
  });
}

void Reporter::read_device(ByIntent& stats) {
  for (const auto& last : enforcer_.take_last_stats()) {
    stats[last.stats.id] = last.stats;
    add_device_drops(last);
    device_last_.erase(last.stats.id);
  }
  for (const auto& now : enforcer_.read_device_stats()) {
    stats[now.stats.id] = now.stats;
    add_device_drops(now);
  }
  // Those whose last read failed.
  std::erase_if(device_last_, [&](const auto& entry) { return !enforcer_.on_device(entry.first); });
}

// The device's drops count as offered and policed, since the pipeline never saw those packets.
void Reporter::add_device_drops(const offload::DeviceStats& counted) {
  const auto& now = counted.stats;
  auto& before = device_last_[now.id];
  if (configurator_.slots().held().contains(counted.vm)) {
    auto& totals = counted.cause == wire::DropCause::kFiltered ? device_filtered_ : device_drops_;
    auto& drops = totals[counted.vm][index(counted.direction)];
    drops.packets += growth(now.dropped_packets, before.dropped_packets);
    drops.bytes += growth(now.dropped_bytes, before.dropped_bytes);
  }
  before = now;
}

wire::IntentStats Reporter::read_software(const offload::SoftwareLimit& limit) const {
  wire::IntentStats stats{.id = limit.intent};
  const auto slot = configurator_.slots().find(limit.vm);
  if (!slot) return stats;
  const auto& state = engine_.vms()[*slot].directions[index(limit.direction)];
  const auto totals = profile::read(state);
  stats.passed_packets = totals.passed_packets;
  stats.passed_bytes = totals.passed_bytes;
  stats.dropped_packets = state.drops[wire::index(wire::DropCause::kPoliced)].read();
  stats.dropped_bytes = state.policed_bytes.read();
  return stats;
}

wire::IntentStats Reporter::read_software(const offload::SoftwareTreatment& treatment, std::uint64_t interval_ns) {
  wire::IntentStats stats{.id = treatment.intent};
  const auto packets = treatment.counters->packets.read();
  (treatment.what.drop ? stats.dropped_packets : stats.passed_packets) = packets;
  (treatment.what.drop ? stats.dropped_bytes : stats.passed_bytes) = treatment.counters->bytes.read();
  auto& silence = silences_[treatment.intent];
  silence.silent_ns = packets == silence.packets ? silence.silent_ns + interval_ns : 0;
  silence.packets = packets;
  const auto most_ns = treatment.what.idle_seconds * kNanosPerSecond;
  stats.idle = most_ns != 0 && silence.silent_ns >= most_ns;
  return stats;
}

profile::Sampler::AllUnseen Reporter::unseen(VmId vm, vm::Slot slot) const {
  profile::Sampler::AllUnseen all;
  const auto device = device_drops_.find(vm);
  const auto filtered = device_filtered_.find(vm);
  for (const auto direction : kBothDirections) {
    auto& entry = all[index(direction)];
    if (device != device_drops_.end()) entry.device = device->second[index(direction)];
    if (filtered != device_filtered_.end()) entry.filtered = filtered->second[index(direction)];
    for (const auto& worker : engine_.workers()) {
      const auto& lost = worker->books().lost(slot, direction);
      entry.handover.packets += lost.packets.read();
      entry.handover.bytes += lost.bytes.read();
    }
  }
  all[index(Direction::kEgress)].left = left_behind(slot);
  return all;
}

profile::LeftBehind Reporter::left_behind(vm::Slot slot) const {
  profile::LeftBehind sum;
  for (const auto& worker : engine_.workers()) {
    const auto& counted = worker->books().left_behind(slot);
    sum.packets += counted.packets.read();
    sum.bytes += counted.bytes.read();
    for (std::size_t at = 0; at < kCategories; ++at) sum.app_bytes[at] += counted.app_bytes[at].read();
  }
  return sum;
}

wire::DataplaneSample Reporter::dataplane() {
  const auto now = totals_of(engine_);
  auto sample = now;
  sample.rx_packets -= last_.rx_packets;
  sample.rx_bytes -= last_.rx_bytes;
  sample.tx_packets -= last_.tx_packets;
  sample.tx_bytes -= last_.tx_bytes;
  sample.flood_copies -= last_.flood_copies;
  sample.payloads_without_state -= last_.payloads_without_state;
  sample.flows_without_buffer -= last_.flows_without_buffer;
  for (std::size_t cause = 0; cause < wire::kDropCauses; ++cause) sample.drops[cause] -= last_.drops[cause];
  last_ = now;
  return sample;
}

std::vector<wire::PortSample> Reporter::ports() {
  auto samples = std::exchange(left_, {});
  std::size_t uplink = 0;
  for (const auto& port : configurator_.ports()) {
    samples.push_back(port_sample(port));
    if (port.role == config::PortRole::kUplink) samples.back().queues = queues_.samples(uplink++);
  }
  return samples;
}

void Reporter::leave(const port::Port& port) { left_.push_back(port_sample(port)); }

// A port's counters stay with its ethdev id; one that comes counts from then on.
wire::PortSample Reporter::port_sample(const port::Port& port) {
  const auto now = totals_of(engine_, port);
  const auto before = std::exchange(last_ports_[port.id], now);
  auto sample = now;
  sample.rx_packets -= before.rx_packets;
  sample.rx_bytes -= before.rx_bytes;
  sample.tx_packets -= before.tx_packets;
  sample.tx_bytes -= before.tx_bytes;
  sample.full_packets -= before.full_packets;
  sample.unattributed_packets -= before.unattributed_packets;
  return sample;
}

std::vector<wire::FlowSample> Reporter::top_flows() {
  std::vector<FlowView> views;
  for (const auto& worker : engine_.workers()) {
    const auto list = worker->top_flows().take();
    views.insert(views.end(), list.begin(), list.end());
  }
  const auto kept = std::min(views.size(), wire::kMostFlows);
  std::partial_sort(views.begin(), views.begin() + static_cast<std::ptrdiff_t>(kept), views.end(),
                    [](const auto& a, const auto& b) { return a.interval_bytes > b.interval_bytes; });
  views.resize(kept);

  std::map<vm::Slot, VmId> vm_of;
  for (const auto& [vm, slot] : configurator_.slots().held()) vm_of.emplace(slot, vm);
  std::vector<wire::FlowSample> flows;
  for (const auto& view : views)
    if (const auto vm = vm_of.find(view.key.vm); vm != vm_of.end()) flows.push_back(describe(view, vm->second));
  return flows;
}

wire::FlowSample Reporter::describe(const FlowView& view, VmId vm) const {
  wire::FlowSample flow;
  flow.vm = vm;
  flow.local = endpoint_text(view.key.local, view.key.local_port);
  flow.remote = endpoint_text(view.key.remote, view.key.remote_port);
  flow.transport = transport_text(view.key.protocol);
  flow.protocol = "unknown";
  if (const auto* signatures = configurator_.signatures(); signatures != nullptr) {
    flow.protocol = signatures->classifier->protocol_name(view.protocol);
    flow.app = signatures->classifier->app_name(view.app);
  }
  flow.category = view.category;
  flow.confidence = view.confidence;
  flow.source = to_string(view.source);
  flow.behaviour = to_string(view.behaviour);
  if (view.fingerprint) flow.fingerprint = view.fingerprint->view();
  flow.encrypted_hello = view.encrypted_hello;
  flow.bytes = view.bytes;
  flow.age_seconds = view.age_seconds;
  return flow;
}

}  // namespace foreflow::pipeline
