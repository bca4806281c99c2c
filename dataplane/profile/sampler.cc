// SPDX-License-Identifier: Apache-2.0
#include "dataplane/profile/sampler.h"

namespace foreflow::profile {
namespace {

template <std::size_t N>
std::array<std::uint64_t, N> read_all(const std::array<Counter, N>& counters) {
  std::array<std::uint64_t, N> values{};
  for (std::size_t i = 0; i < N; ++i) values[i] = counters[i].read();
  return values;
}

template <std::size_t N>
std::array<std::uint64_t, N> minus(const std::array<std::uint64_t, N>& a, const std::array<std::uint64_t, N>& b) {
  std::array<std::uint64_t, N> difference{};
  for (std::size_t i = 0; i < N; ++i) difference[i] = a[i] - b[i];
  return difference;
}

wire::DirectionSample difference(const DirectionTotals& now, const DirectionTotals& before) {
  wire::DirectionSample sample;
  sample.offered_packets = now.offered_packets - before.offered_packets;
  sample.offered_bytes = now.offered_bytes - before.offered_bytes;
  sample.passed_packets = now.passed_packets - before.passed_packets;
  sample.passed_bytes = now.passed_bytes - before.passed_bytes;
  sample.drops = minus(now.drops, before.drops);
  sample.app_bytes = minus(now.app_bytes, before.app_bytes);
  sample.limited = sample.drops[wire::index(wire::DropCause::kPoliced)] != 0;
  return sample;
}

}  // namespace

void DirectionTotals::add(wire::DropCause cause, const Unseen& unseen) {
  offered_packets += unseen.packets;
  offered_bytes += unseen.bytes;
  drops[wire::index(cause)] += unseen.packets;
}

DirectionTotals read(const vm::DirectionState& state) {
  DirectionTotals totals;
  // Passed first: a packet is offered before it passes, so passed never exceeds offered.
  totals.passed_packets = state.passed_packets.read();
  totals.passed_bytes = state.passed_bytes.read();
  totals.app_bytes = read_all(state.app_bytes);
  totals.drops = read_all(state.drops);
  totals.offered_packets = state.offered_packets.read();
  totals.offered_bytes = state.offered_bytes.read();
  return totals;
}

DirectionTotals Sampler::totals(const vm::DirectionState& state, const DirectionUnseen& unseen) {
  auto totals = read(state);
  totals.add(wire::DropCause::kPoliced, unseen.device);
  totals.add(wire::DropCause::kHandover, unseen.handover);
  return totals;
}

Sampler::Sampler(VmId vm, vm::VmState& state, const AllUnseen& unseen)
    : vm_(vm), last_opened_(state.connections_opened.read()) {
  for (std::size_t at = 0; at < kDirections; ++at) {
    last_[at] = totals(state.directions[at], unseen[at]);
    device_dropped_[at] = unseen[at].device.packets;
    state.directions[at].peak.take();
  }
}

wire::VmSample Sampler::sample(vm::VmState& state, const AllUnseen& unseen) {
  wire::VmSample sample{.vm = vm_, .directions = {}};
  for (std::size_t at = 0; at < kDirections; ++at) {
    const auto now = totals(state.directions[at], unseen[at]);
    auto& out = sample.directions[at];
    out = difference(now, last_[at]);
    out.peak_10ms_bytes = state.directions[at].peak.take();
    if (unseen[at].device.packets != device_dropped_[at]) out.peak_10ms_bytes.reset();
    device_dropped_[at] = unseen[at].device.packets;
    last_[at] = now;
  }
  const auto opened = state.connections_opened.read();
  sample.connections_opened = static_cast<std::uint32_t>(opened - last_opened_);
  sample.connections_active = static_cast<std::uint32_t>(state.connections_active.read());
  last_opened_ = opened;
  return sample;
}

}  // namespace foreflow::profile
