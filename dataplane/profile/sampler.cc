// SPDX-License-Identifier: Apache-2.0
#include "dataplane/profile/sampler.h"

#include <algorithm>
#include <numeric>

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
  sample.sizes = minus(now.sizes, before.sizes);
  sample.delayed_packets = now.delayed_packets - before.delayed_packets;
  sample.marked_packets = now.marked_packets - before.marked_packets;
  sample.limited = sample.drops[wire::index(wire::DropCause::kPoliced)] != 0 ||
                   sample.drops[wire::index(wire::DropCause::kQueueFull)] != 0 || sample.delayed_packets != 0;
  return sample;
}

ConnectionTotals read_connections(const vm::VmState& state) {
  return {state.connections_opened.read(), state.connections_closed.read(), state.connections_failed.read(),
          state.untracked_packets.read()};
}

std::uint64_t unobserved(const Sampler::DirectionUnseen& unseen, const vm::DirectionState& state) {
  return unseen.device.packets + unseen.filtered.packets + state.bypassed_packets.read();
}

}  // namespace

void DirectionTotals::add(wire::DropCause cause, const Unseen& unseen) {
  offered_packets += unseen.packets;
  offered_bytes += unseen.bytes;
  drops[wire::index(cause)] += unseen.packets;
}

void DirectionTotals::take_back(wire::DropCause cause, const LeftBehind& left) {
  const auto take = [](std::uint64_t& from, std::uint64_t amount) { from -= std::min(from, amount); };
  drops[wire::index(cause)] += left.packets;
  take(passed_packets, left.packets);
  take(passed_bytes, left.bytes);
  auto unknown = left.bytes;
  for (std::size_t category = 0; category < kCategories; ++category) {
    take(app_bytes[category], left.app_bytes[category]);
    take(unknown, left.app_bytes[category]);
  }
  take(app_bytes[index(Category::kUnknown)], unknown);
}

DirectionTotals read(const vm::DirectionState& state) {
  DirectionTotals totals;
  // Offered last: a packet is offered before it is dropped or held, so what passed is never negative.
  totals.drops = read_all(state.drops);
  const auto dropped = std::accumulate(totals.drops.begin(), totals.drops.end(), state.held_packets.read());
  const auto dropped_bytes = state.dropped_bytes.read() + state.held_bytes.read();
  totals.app_bytes = read_all(state.app_bytes);
  const auto known = std::accumulate(totals.app_bytes.begin(), totals.app_bytes.end(), std::uint64_t{0});
  totals.delayed_packets = state.delayed_packets.read();
  totals.marked_packets = state.marked_packets.read();
  const auto bypassed = state.bypassed_packets.read();
  totals.offered_bytes = state.offered.bytes() + state.bypassed_bytes.read();
  totals.sizes = read_all(state.offered.sizes());
  totals.offered_packets = std::accumulate(totals.sizes.begin(), totals.sizes.end(), bypassed);
  totals.passed_packets = totals.offered_packets - std::min(dropped, totals.offered_packets);
  totals.passed_bytes = totals.offered_bytes - std::min(dropped_bytes, totals.offered_bytes);
  totals.app_bytes[index(Category::kUnknown)] = totals.passed_bytes - std::min(known, totals.passed_bytes);
  return totals;
}

void DirectionTotals::keep_growing(const DirectionTotals& before) {
  const auto keep = [](std::uint64_t& now, std::uint64_t then) { now = std::max(now, then); };
  keep(passed_packets, before.passed_packets);
  keep(passed_bytes, before.passed_bytes);
  for (std::size_t i = 0; i < app_bytes.size(); ++i) keep(app_bytes[i], before.app_bytes[i]);
}

DirectionTotals Sampler::totals(const vm::DirectionState& state, const DirectionUnseen& unseen) {
  auto totals = read(state);
  totals.add(wire::DropCause::kPoliced, unseen.device);
  totals.add(wire::DropCause::kFiltered, unseen.filtered);
  totals.add(wire::DropCause::kHandover, unseen.handover);
  totals.take_back(wire::DropCause::kQueueFull, unseen.left);
  return totals;
}

Sampler::Sampler(VmId vm, vm::VmState& state, const AllUnseen& unseen)
    : vm_(vm), last_connections_(read_connections(state)) {
  for (std::size_t at = 0; at < kDirections; ++at) {
    last_[at] = totals(state.directions[at], unseen[at]);
    unobserved_[at] = unobserved(unseen[at], state.directions[at]);
    state.directions[at].offered.take_peak_1ms();
    state.directions[at].offered.take_peak_10ms();
  }
}

wire::VmSample Sampler::sample(vm::VmState& state, const AllUnseen& unseen) {
  wire::VmSample sample{.vm = vm_, .directions = {}};
  for (std::size_t at = 0; at < kDirections; ++at) {
    auto now = totals(state.directions[at], unseen[at]);
    now.keep_growing(last_[at]);
    auto& out = sample.directions[at];
    out = difference(now, last_[at]);
    out.peak_1ms_bytes = state.directions[at].offered.take_peak_1ms();
    out.peak_10ms_bytes = state.directions[at].offered.take_peak_10ms();
    if (const auto kept = unobserved(unseen[at], state.directions[at]); kept != unobserved_[at]) {
      unobserved_[at] = kept;
      out.peak_1ms_bytes.reset();
      out.peak_10ms_bytes.reset();
    }
    last_[at] = now;
  }
  const auto now = read_connections(state);
  sample.connections_opened = static_cast<std::uint32_t>(now.opened - last_connections_.opened);
  sample.connections_active = static_cast<std::uint32_t>(state.connections_active.read());
  sample.connections_closed = static_cast<std::uint32_t>(now.closed - last_connections_.closed);
  sample.connections_failed = static_cast<std::uint32_t>(now.failed - last_connections_.failed);
  sample.untracked_packets = now.untracked - last_connections_.untracked;
  last_connections_ = now;
  return sample;
}

}  // namespace foreflow::profile
