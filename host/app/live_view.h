// SPDX-License-Identifier: Apache-2.0
// Keeps what is known of VMs and dataplanes right now.
// Place: host/app; written by the ingest, read by the cycle and the API. Memory is bounded by the configured fleet.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "host/app/roster.h"
#include "host/model/live.h"

namespace foreflow::app {

struct ReportCounts {
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t rejected = 0;
};

// Thread safety: all members from any thread.
class LiveView {
 public:
  void on_hello(const wire::Hello& hello);
  void on_disconnect(const std::string& dataplane);
  // Bytes of a report before compression and as it came.
  void on_received(const std::string& dataplane, std::uint64_t raw_bytes, std::uint64_t compressed_bytes);
  // VMs that the roster does not place on this dataplane are left out and counted. A late report adds to the totals
  // only.
  void on_report(const std::string& dataplane, const wire::Report& report, const Roster& roster, UnixNanos arrived);
  void on_duplicate(const std::string& dataplane);
  void on_rejected(const std::string& dataplane);
  // Why the newest report was not taken (empty: it was). True when the dataplane went from one state to the other.
  bool on_report_error(const std::string& dataplane, const std::string& reason);
  void on_applied(const std::string& dataplane, Generation generation);
  void on_event(const std::string& dataplane, const wire::Event& event);
  // Forgets whatever the roster does not have.
  void retain(const Roster& roster);

  std::optional<model::VmLive> vm(VmId id) const;
  // An empty record when it was never seen.
  model::DataplaneLive dataplane(const std::string& name) const;
  ReportCounts counts() const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<VmId, model::VmLive> vms_;
  std::map<std::string, model::DataplaneLive> dataplanes_;
};

}  // namespace foreflow::app
