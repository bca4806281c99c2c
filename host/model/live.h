// SPDX-License-Identifier: Apache-2.0
// What is known of VMs and dataplanes right now: the newest report and totals since the manager started.
// Place: host/model; written by the ingest of reports, read by the API.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "common/units.h"
#include "common/wire/messages.h"
#include "host/model/fleet.h"

namespace foreflow::model {

struct Totals {
  std::uint64_t offered_packets = 0;
  std::uint64_t offered_bytes = 0;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::array<std::uint64_t, wire::kDropCauses> drops{};
  std::array<std::uint64_t, kCategories> app_bytes{};
  std::array<std::uint64_t, wire::kSizeClasses> sizes{};
  std::uint64_t delayed_packets = 0;
  std::uint64_t marked_packets = 0;
};

struct VmLive {
  UnixNanos time;  // of the newest report
  std::uint64_t interval_ns = 0;
  wire::VmSample sample;
  PerDirection<Totals> totals;
  std::uint64_t connections_opened = 0;
  std::uint64_t connections_closed = 0;
  std::uint64_t connections_failed = 0;
  std::uint64_t untracked_packets = 0;
};

// Of one uplink.
using QueuesLive = std::map<std::uint8_t, wire::QueueSample>;

struct DataplaneLive {
  bool connected = false;
  wire::Hello hello;
  Generation applied;
  UnixNanos last_report;  // its time
  UnixNanos arrived;      // when the newest report came, by the manager's clock
  std::uint64_t interval_ns = 0;
  wire::DataplaneSample sample;
  std::array<std::uint64_t, wire::kDropCauses> drops{};
  std::uint64_t payloads_without_state = 0;  // of flows that found no place for what they showed
  std::uint64_t flows_without_buffer = 0;    // whose hello could not be put together
  std::uint64_t reports = 0;
  std::uint64_t duplicate_reports = 0;
  std::uint64_t rejected_reports = 0;         // the store can never take them
  std::uint64_t lost_reports = 0;             // dropped from the dataplane's full spool
  std::string report_error;                   // why its newest report was not taken; empty once one is
  std::uint64_t unknown_vm_samples = 0;       // of VMs that the fleet does not have on this dataplane; left out
  std::uint64_t report_raw_bytes = 0;         // of all that were received, before compression
  std::uint64_t report_compressed_bytes = 0;  // and as they came
  std::vector<wire::FlowSample> flows;
  std::map<std::string, QueuesLive> queues;         // packets and bytes since the manager started, by uplink
  std::map<std::string, QueuesLive> newest_queues;  // of the newest report
  std::deque<wire::Event> events;                   // newest last, at most kMostEvents
};
inline constexpr std::size_t kMostEvents = 32;

// Bytes in an interval as a rate.
constexpr BytesPerSecond rate(std::uint64_t bytes, std::uint64_t interval_ns) {
  if (interval_ns == 0) return {};
  const auto wide = static_cast<unsigned __int128>(bytes) * kNanosPerSecond / interval_ns;
  return BytesPerSecond{wide >= kUnlimited.value ? kUnlimited.value - 1 : static_cast<std::uint64_t>(wide)};
}

}  // namespace foreflow::model
