// SPDX-License-Identifier: Apache-2.0
// The names of all stored fields: one vocabulary for the ingest, the forecasts, the roll-up and the dashboards.
// Place: host/store.
//
// tx = egress (leaves the VM), rx = ingress. Everything is an integer; rates are bytes per second of L2 frames without
// FCS; an unlimited rate is left out. A database fixes the type of a field at its first write, so a name never changes
// its type.
//
// measurement   fields                                                                     time stamp
// vm_net        {tx,rx}_{offered,passed}_{packets,bytes} {tx,rx}_drop_<cause>              end of the interval
//               {tx,rx}_peak_{1,10}ms_bytes {tx,rx}_limited {tx,rx}_{delayed,marked}_packets
//               {tx,rx}_size_<class>: offered packets     connections_{opened,active,closed,failed}
//               untracked_packets interval_ms; sizes, delayed, marked and untracked only when not 0
//               in tiers also {tx,rx}_p95_rate                                             start of the bucket
// vm_app        <category>: passed bytes of both directions                                as vm_net
// vm_guest      cpu_ns waited_ns vcpus memory_{current,maximum,used,rss}_bytes               time of the reading
//               disk_{read,write}_{bytes,requests,ns} disk_flush_requests interval_ms; waited, used and rss only where
//               the hypervisor tells them
// vm_forecast   {tx,rx}_<quantile>_lead<n> step_ms                                         start of the target interval
// vm_alloc      {tx,rx}_{want,grant,cir,pir,guarantee,cap}                                 time of the decision
// dataplane     {rx,tx}_{packets,bytes} flood_copies drop_<cause> spool_dropped_reports interval_ms   as vm_net
//               payloads_without_state flows_without_buffer: of classification, only when not 0
//               queue<n>_{passed,dropped}_{packets,bytes} queue<n>_{waited,longest}_us: of all uplinks' queues with
//               this number, where something happened; waited: of all that passed, together
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/ids.h"
#include "common/wire/messages.h"

namespace foreflow::store::field {

inline constexpr std::array<std::string_view, kDirections> kDirectionPrefixes{"tx_", "rx_"};

// Of vm_net, behind a direction's prefix.
inline constexpr std::string_view kOfferedPackets = "offered_packets";
inline constexpr std::string_view kOfferedBytes = "offered_bytes";
inline constexpr std::string_view kPassedPackets = "passed_packets";
inline constexpr std::string_view kPassedBytes = "passed_bytes";
inline constexpr std::string_view kPeak10ms = "peak_10ms_bytes";  // absent when the device cannot observe it
inline constexpr std::string_view kPeak1ms = "peak_1ms_bytes";    // the same
inline constexpr std::string_view kDelayedPackets = "delayed_packets";
inline constexpr std::string_view kMarkedPackets = "marked_packets";
inline constexpr std::string_view kLimited = "limited";   // intervals in which the meter dropped or delayed
inline constexpr std::string_view kP95Rate = "p95_rate";  // of offered rates; in tiers only

// Of vm_net as a whole.
inline constexpr std::string_view kConnectionsOpened = "connections_opened";
inline constexpr std::string_view kConnectionsActive = "connections_active";
inline constexpr std::string_view kConnectionsClosed = "connections_closed";
inline constexpr std::string_view kConnectionsFailed = "connections_failed";
inline constexpr std::string_view kUntrackedPackets = "untracked_packets";
inline constexpr std::string_view kIntervalMs = "interval_ms";

// Of vm_guest.
inline constexpr std::string_view kCpuNs = "cpu_ns";
inline constexpr std::string_view kWaitedNs = "waited_ns";
inline constexpr std::string_view kVcpus = "vcpus";
inline constexpr std::string_view kMemoryCurrent = "memory_current_bytes";
inline constexpr std::string_view kMemoryMaximum = "memory_maximum_bytes";
inline constexpr std::string_view kMemoryUsed = "memory_used_bytes";
inline constexpr std::string_view kMemoryRss = "memory_rss_bytes";
inline constexpr std::string_view kDiskReadBytes = "disk_read_bytes";
inline constexpr std::string_view kDiskReadRequests = "disk_read_requests";
inline constexpr std::string_view kDiskReadNs = "disk_read_ns";
inline constexpr std::string_view kDiskWriteBytes = "disk_write_bytes";
inline constexpr std::string_view kDiskWriteRequests = "disk_write_requests";
inline constexpr std::string_view kDiskWriteNs = "disk_write_ns";
inline constexpr std::string_view kDiskFlushRequests = "disk_flush_requests";

// Of vm_alloc, behind a direction's prefix.
inline constexpr std::string_view kWant = "want";
inline constexpr std::string_view kGrant = "grant";
inline constexpr std::string_view kCir = "cir";
inline constexpr std::string_view kPir = "pir";
inline constexpr std::string_view kGuarantee = "guarantee";
inline constexpr std::string_view kCap = "cap";

// Of vm_forecast; quantiles in the order of predictor::kQuantiles.
inline constexpr std::string_view kStepMs = "step_ms";
inline constexpr std::array<std::string_view, 5> kQuantileNames{"q50", "q90", "q95", "q99", "q999"};
inline constexpr std::array<std::size_t, 3> kForecastLeads{1, 12, 288};

// Of dataplane.
inline constexpr std::string_view kRxPackets = "rx_packets";
inline constexpr std::string_view kRxBytes = "rx_bytes";
inline constexpr std::string_view kTxPackets = "tx_packets";
inline constexpr std::string_view kTxBytes = "tx_bytes";
inline constexpr std::string_view kFloodCopies = "flood_copies";
inline constexpr std::string_view kSpoolDroppedReports = "spool_dropped_reports";
inline constexpr std::string_view kPayloadsWithoutState = "payloads_without_state";
inline constexpr std::string_view kDroppedPackets = "dropped_packets";
inline constexpr std::string_view kDroppedBytes = "dropped_bytes";
inline constexpr std::string_view kWaitedUs = "waited_us";
inline constexpr std::string_view kLongestUs = "longest_us";
inline constexpr std::string_view kFlowsWithoutBuffer = "flows_without_buffer";

// "queue3_passed_bytes".
inline std::string of_queue(std::size_t queue, std::string_view quantity) {
  return fmt::format("queue{}_{}", queue, quantity);
}

// "tx_offered_bytes".
inline std::string directed(Direction direction, std::string_view quantity) {
  return std::string(kDirectionPrefixes[index(direction)]).append(quantity);
}

// "drop_policed".
inline std::string drop(wire::DropCause cause) {
  return std::string("drop_").append(wire::kDropCauseNames[index(cause)]);
}

// "tx_q95_lead12"; `quantile` is an index into kQuantileNames.
inline std::string forecast(Direction direction, std::size_t quantile, std::size_t lead) {
  return directed(direction, kQuantileNames[quantile]).append("_lead").append(std::to_string(lead));
}

// Databases know signed integers only.
constexpr std::int64_t saturated(std::uint64_t value) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return static_cast<std::int64_t>(value < kMost ? value : kMost);
}

}  // namespace foreflow::store::field
