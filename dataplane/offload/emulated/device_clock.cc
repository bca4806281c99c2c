// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/device_clock.h"

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_mbuf_dyn.h>

namespace foreflow::offload::emulated {
namespace {

// Where drivers put the receive timestamp; they register it when their ports come up.
struct TimestampField {
  int offset = -1;
  std::uint64_t flag = 0;
};

TimestampField find_timestamp_field() {
  const int offset = rte_mbuf_dynfield_lookup(RTE_MBUF_DYNFIELD_TIMESTAMP_NAME, nullptr);
  const int bit = rte_mbuf_dynflag_lookup(RTE_MBUF_DYNFLAG_RX_TIMESTAMP_NAME, nullptr);
  if (offset < 0 || bit < 0) return {};
  return {.offset = offset, .flag = RTE_BIT64(bit)};
}

std::uint64_t tsc_ns() {
  static const std::uint64_t hz = rte_get_tsc_hz();
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(rte_rdtsc()) * 1'000'000'000 / hz);
}

}  // namespace

std::uint64_t DeviceClock::of(const rte_mbuf& packet) {
  if (source_ == TimeSource::kTsc) return now();
  static const auto field = find_timestamp_field();
  if (field.offset < 0 || (packet.ol_flags & field.flag) == 0) return now();
  const auto time = *RTE_MBUF_DYNFIELD(&packet, field.offset, const rte_mbuf_timestamp_t*) * timestamp_ns_;
  auto newest = newest_.load(std::memory_order_relaxed);
  while (time > newest && !newest_.compare_exchange_weak(newest, time, std::memory_order_relaxed)) {
  }
  return time;
}

std::uint64_t DeviceClock::now() const {
  if (source_ == TimeSource::kRxTimestamp) return newest_.load(std::memory_order_relaxed);
  const auto replacement = replacement_.load(std::memory_order_relaxed);
  return replacement != nullptr ? replacement() : tsc_ns();
}

}  // namespace foreflow::offload::emulated
