// SPDX-License-Identifier: Apache-2.0
// What an operator can ask of the manager; implemented by host/app, served by ApiServer.
// Place: host/api. Plain values only: gRPC stays behind ApiServer.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "host/model/fleet.h"
#include "host/model/guest.h"
#include "host/model/live.h"

namespace foreflow::api {

struct Allocation {
  BytesPerSecond want;
  BytesPerSecond grant;
  BytesPerSecond cir;
  BytesPerSecond pir;
  std::string why;
  UnixNanos time;
};

struct VmStatus {
  model::Vm vm;
  bool policy_changed = false;  // by set_policy
  std::optional<model::VmLive> live;
  std::optional<model::GuestLive> guest;
  model::PerDirection<std::optional<Allocation>> allocation;
};

struct DataplaneStatus {
  model::Dataplane dataplane;
  model::DataplaneLive live;
  Generation desired;
  std::vector<std::string> vms;
};

struct HypervisorStatus {
  model::Hypervisor settings;
  model::HypervisorLive live;
};

struct Observed {
  UnixNanos time;
  BytesPerSecond rate;
};

struct Lead {
  UnixNanos time;                     // end of the interval
  std::vector<BytesPerSecond> rates;  // one per quantile
};

struct ForecastView {
  std::string model;
  std::string reason;  // why this model
  UnixNanos made_at;
  std::uint64_t step_ns = 0;
  BytesPerSecond last;
  bool limited = false;
  std::vector<Observed> history;  // oldest first
  std::vector<double> quantiles;
  std::vector<Lead> leads;
};

struct Rule {
  std::string dataplane;
  std::string vm;
  wire::Intent asked;
  std::optional<wire::IntentResult> result;
  wire::IntentStats stats;
};

struct Flow {
  std::string vm;
  wire::FlowSample sample;
};

struct ManagerStatus {
  std::string version;
  std::string mode;
  UnixNanos time;
  UnixNanos started;
  std::string store;
  std::uint64_t pending_points = 0;
  std::uint64_t rejected_points = 0;
  std::string store_error;
  std::uint64_t reports = 0;
  std::uint64_t duplicate_reports = 0;
  std::uint64_t rejected_reports = 0;
  std::uint64_t cycles = 0;
  std::map<std::string, std::string> failed_allocations;  // by dataplane: why the last cycle gave it no new limits
};

// Thread safety: all members from any thread. An empty name means all; an unknown one is kNotFound.
class Operations {
 public:
  virtual ~Operations() = default;
  virtual ManagerStatus status() const = 0;
  virtual Result<std::vector<VmStatus>> vms(const std::string& name) const = 0;
  virtual Result<std::vector<DataplaneStatus>> dataplanes(const std::string& name) const = 0;
  virtual Result<std::vector<HypervisorStatus>> hypervisors(const std::string& host) const = 0;
  virtual Result<ForecastView> forecast(const std::string& vm, Direction direction) const = 0;
  virtual Result<std::vector<Rule>> rules(const std::string& vm) const = 0;
  virtual Result<std::vector<Flow>> flows(const std::string& vm) const = 0;  // largest first
  // Asks for the signature files to be read again; the names of the dataplanes that were asked.
  virtual Result<std::vector<std::string>> reload_signatures(const std::string& dataplane) = 0;
};

}  // namespace foreflow::api
