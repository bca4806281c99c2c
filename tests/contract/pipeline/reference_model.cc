// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/pipeline/reference_model.h"

#include <algorithm>

namespace foreflow::pipeline {

using wire::DropCause;

namespace {
std::size_t overhead(Segment segment) { return is_overlay(segment) ? net::kOuterSize : 0; }
}  // namespace

ReferenceModel::ReferenceModel(const std::vector<TestPort>& ports, wire::DesiredState desired, std::uint16_t workers)
    : workers_(workers) {
  for (const auto& uplink : desired.uplinks) tunnel_ = uplink.tunnel;
  for (const auto& port : ports) {
    auto& entry = ports_[port.name];
    entry.uplink = port.role == config::PortRole::kUplink;
    entry.largest = port.mtu + 14;
    entry.counts.port = port.name;
    if (entry.uplink) uplink_ = port.name;
  }
  // Slots are given in the order of ids, and slots to workers in turn.
  for (const auto& spec : desired.vms)
    vms_[spec.id] = Vm{.owner = static_cast<std::uint16_t>((spec.id.value - 1) % workers_),
                       .spec = spec,
                       .sample = {.vm = spec.id, .directions = {}}};
  for (const auto& intent : desired.intents) {
    const auto& police = std::get<wire::Police>(intent.what);
    vms_[police.vm].limits[police.direction] = {police.pir.value, police.pbs.value,
                                                static_cast<unsigned __int128>(police.pbs.value) * kNanosPerSecond};
  }
}

void ReferenceModel::receive(const std::string& port, const Given& given, std::uint64_t now_ns) {
  auto& counts = ports_.at(port).counts;
  ++counts.rx_packets;
  counts.rx_bytes += given.size;
  if (ports_.at(port).uplink)
    from_uplink(port, given, now_ns);
  else
    from_vm(port, given, now_ns);
}

void ReferenceModel::from_vm(const std::string& port, const Given& given, std::uint64_t now_ns) {
  const wire::Attachment* attachment = nullptr;
  auto* vm = owner_of(port, given.spec.source, attachment);
  if (vm == nullptr) {
    ++ports_.at(port).counts.unattributed_packets;
    return drop(given.malformed ? DropCause::kMalformed : DropCause::kSpoof);
  }
  auto& sample = vm->sample.directions[index(Direction::kEgress)];
  offer(*vm, Direction::kEgress, given.size, now_ns);
  if (given.malformed) return drop(DropCause::kMalformed, &sample);
  if (given.spec.vlan != 0) return drop(DropCause::kSpoof, &sample);
  if (attachment == nullptr && !vm->spec.allow_foreign_mac) return drop(DropCause::kSpoof, &sample);
  if (given.size > ports_.at(port).largest) return drop(DropCause::kOversize, &sample);
  const auto segment = attachment != nullptr ? attachment->segment : vm->spec.attachments.front().segment;

  const auto others = receivers(segment, port);
  const auto [local, place] = find(segment, given.spec.destination);
  const bool to_many = given.spec.destination.is_multicast();
  const auto largest =
      local != nullptr ? ports_.at(place->port).largest : ports_.at(uplink_).largest - overhead(segment);
  if (!to_many && given.size > largest) return drop(DropCause::kMtu, &sample);
  follow(*vm, Direction::kEgress, given.spec);
  if (!meter(*vm, Direction::kEgress, given.size, now_ns)) return drop(DropCause::kPoliced, &sample);

  if (!to_many && local != nullptr) {
    pass(sample, given.size);
    return to_vm(*local, place->port, given.spec, given.size, now_ns);
  }
  if (!to_many || others.empty()) {
    if (to_uplink(*vm, segment, given.spec, given.size, &sample)) pass(sample, given.size);
    return;
  }
  pass(sample, given.size);
  total_.flood_copies += others.size();
  to_uplink(*vm, segment, given.spec, given.size, nullptr);
  for (const auto& [receiver, where] : others) to_vm(*receiver, where, given.spec, given.size, now_ns);
}

void ReferenceModel::from_uplink(const std::string& port, const Given& given, std::uint64_t now_ns) {
  if (given.malformed) return drop(DropCause::kMalformed);
  if (given.vni) return from_tunnel(port, given, now_ns);
  to_all(port, Segment{given.spec.vlan}, given, given.size - (given.spec.vlan != 0 ? 4 : 0), now_ns);
}

void ReferenceModel::from_tunnel(const std::string& port, const Given& given, std::uint64_t now_ns) {
  if (given.from_stranger) return drop(DropCause::kSpoof);
  if (given.inner_malformed || given.spec.vlan != 0) return drop(DropCause::kMalformed);
  to_all(port, overlay(*given.vni), given, given.size - net::kOuterSize, now_ns);
}

void ReferenceModel::to_all(const std::string& port, Segment segment, const Given& given, std::size_t size,
                            std::uint64_t now_ns) {
  const auto learn = [&](const Vm& vm) {
    if (given.vni) whereabouts_[{vm.owner, segment, given.spec.source}] = given.from;
  };
  if (!given.spec.destination.is_multicast()) {
    const auto [vm, place] = find(segment, given.spec.destination);
    if (vm == nullptr) return drop(DropCause::kUnknownVm);
    learn(*vm);
    return to_vm(*vm, place->port, given.spec, size, now_ns);
  }
  const auto all = receivers(segment, port);
  if (all.empty()) return drop(DropCause::kUnknownVm);
  total_.flood_copies += all.size() - 1;
  for (const auto& [vm, where] : all) {
    learn(*vm);
    to_vm(*vm, where, given.spec, size, now_ns);
  }
}

void ReferenceModel::to_vm(Vm& vm, const std::string& port, const FrameSpec& spec, std::size_t size,
                           std::uint64_t now_ns) {
  auto& sample = vm.sample.directions[index(Direction::kIngress)];
  offer(vm, Direction::kIngress, size, now_ns);
  if (size > ports_.at(port).largest) return drop(DropCause::kMtu, &sample);
  follow(vm, Direction::kIngress, spec);
  if (!meter(vm, Direction::kIngress, size, now_ns)) return drop(DropCause::kPoliced, &sample);
  pass(sample, size);
  send(port, size);
}

bool ReferenceModel::to_uplink(const Vm& vm, Segment segment, const FrameSpec& spec, std::size_t size,
                               wire::DirectionSample* of) {
  if (size + overhead(segment) > ports_.at(uplink_).largest) return drop(DropCause::kMtu, of), false;
  if (is_overlay(segment)) {
    const bool is_known = whereabouts_.contains({vm.owner, segment, spec.destination});
    const auto ends = is_known ? 1 : tunnel_->remotes.size();
    total_.flood_copies += ends - 1;
    for (std::size_t end = 0; end < ends; ++end) send(uplink_, size + net::kOuterSize);
    return true;
  }
  send(uplink_, size + (segment.value != 0 ? 4 : 0));
  return true;
}

// One VM per port of the segment: the first in the order of the configuration.
std::vector<std::pair<ReferenceModel::Vm*, std::string>> ReferenceModel::receivers(Segment segment,
                                                                                   const std::string& except) {
  std::map<std::string, Vm*> by_port;
  for (auto& [id, vm] : vms_)
    for (const auto& attachment : vm.spec.attachments)
      if (attachment.segment == segment && attachment.port != except) by_port.try_emplace(attachment.port, &vm);
  std::vector<std::pair<Vm*, std::string>> all;
  for (const auto& [port, vm] : by_port) all.emplace_back(vm, port);
  return all;
}

ReferenceModel::Vm* ReferenceModel::owner_of(const std::string& port, const MacAddress& source,
                                             const wire::Attachment*& found) {
  std::vector<Vm*> here;
  for (auto& [id, vm] : vms_)
    for (const auto& attachment : vm.spec.attachments) {
      if (attachment.port != port) continue;
      if (here.empty() || here.back() != &vm) here.push_back(&vm);
      if (attachment.mac != source) continue;
      found = &attachment;
      return &vm;
    }
  return here.size() == 1 ? here.front() : nullptr;
}

std::pair<ReferenceModel::Vm*, const wire::Attachment*> ReferenceModel::find(Segment segment, const MacAddress& mac) {
  for (auto& [id, vm] : vms_)
    for (const auto& attachment : vm.spec.attachments)
      if (attachment.segment == segment && attachment.mac == mac) return {&vm, &attachment};
  return {nullptr, nullptr};
}

void ReferenceModel::offer(Vm& vm, Direction direction, std::size_t size, std::uint64_t now_ns) {
  auto& sample = vm.sample.directions[index(direction)];
  ++sample.offered_packets;
  sample.offered_bytes += size;
  std::size_t at = 0;
  for (std::size_t most = 64; at < wire::kSizeClasses - 1 && size > most; most *= 2) ++at;
  ++sample.sizes[at];
  vm.by_ms[{direction, now_ns / 1'000'000}] += size;
  vm.by_10ms[{direction, now_ns / 10'000'000}] += size;
}

bool ReferenceModel::meter(Vm& vm, Direction direction, std::size_t size, std::uint64_t now_ns) {
  const auto found = vm.limits.find(direction);
  if (found == vm.limits.end()) return true;
  auto& bucket = found->second;
  const auto full = static_cast<unsigned __int128>(bucket.burst) * kNanosPerSecond;
  bucket.tokens = std::min(full, bucket.tokens + static_cast<unsigned __int128>(now_ns - bucket.last_ns) * bucket.rate);
  bucket.last_ns = now_ns;
  const auto cost = static_cast<unsigned __int128>(size) * kNanosPerSecond;
  if (bucket.tokens < cost) return vm.sample.directions[index(direction)].limited = true, false;
  bucket.tokens -= cost;
  return true;
}

void ReferenceModel::follow(Vm& vm, Direction direction, const FrameSpec& spec) {
  const bool is_new = !flows_.contains({vm.spec.id, direction, spec.protocol, spec.source_host, spec.destination_host,
                                        spec.source_port, spec.destination_port});
  auto& state = flows_[{vm.spec.id, direction, spec.protocol, spec.source_host, spec.destination_host, spec.source_port,
                        spec.destination_port}];
  auto& sample = vm.sample;
  if (spec.protocol == 17) {
    sample.connections_opened += is_new ? 1 : 0;
    sample.connections_active += is_new ? 1 : 0;
    return;
  }
  const bool was_active = state == Tcp::kOpening || state == Tcp::kOpen;
  const auto former = state;
  if ((spec.tcp_flags & kRstFlag) != 0) {
    state = Tcp::kClosed;
    if (!was_active) return;
    --sample.connections_active;
    ++(former == Tcp::kOpening ? sample.connections_failed : sample.connections_closed);
  } else if ((spec.tcp_flags & kSynFlag) != 0) {
    if (was_active) return;
    state = Tcp::kOpening;
    ++sample.connections_opened;
    ++sample.connections_active;
  } else if (state != Tcp::kClosed) {
    state = Tcp::kOpen;
    sample.connections_active += was_active ? 0 : 1;
  }
}

void ReferenceModel::send(const std::string& port, std::size_t size) {
  ++ports_.at(port).counts.tx_packets;
  ports_.at(port).counts.tx_bytes += size;
}

void ReferenceModel::drop(DropCause cause, wire::DirectionSample* of) {
  ++total_.drops[wire::index(cause)];
  if (of != nullptr) ++of->drops[wire::index(cause)];
}

void ReferenceModel::pass(wire::DirectionSample& of, std::size_t size) {
  ++of.passed_packets;
  of.passed_bytes += size;
  of.app_bytes[index(Category::kUnknown)] += size;
}

wire::VmSample ReferenceModel::expected(VmId id) const {
  const auto& vm = vms_.at(id);
  auto sample = vm.sample;
  const auto largest = [](const auto& windows, Direction direction) {
    std::uint64_t most = 0;
    for (const auto& [window, bytes] : windows)
      if (window.first == direction) most = std::max(most, bytes);
    return most;
  };
  for (const auto direction : kBothDirections) {
    sample.directions[index(direction)].peak_1ms_bytes = largest(vm.by_ms, direction);
    sample.directions[index(direction)].peak_10ms_bytes = largest(vm.by_10ms, direction);
  }
  return sample;
}

wire::DataplaneSample ReferenceModel::expected() const {
  auto sum = total_;
  for (const auto& [name, port] : ports_) {
    sum.rx_packets += port.counts.rx_packets;
    sum.rx_bytes += port.counts.rx_bytes;
    sum.tx_packets += port.counts.tx_packets;
    sum.tx_bytes += port.counts.tx_bytes;
  }
  return sum;
}

}  // namespace foreflow::pipeline
