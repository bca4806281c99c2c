// SPDX-License-Identifier: Apache-2.0
// Makes the report of an interval from the running counters of workers, VMs and the device.
// Place: dataplane/pipeline. Thread safety: control thread.
#pragma once
#include <array>
#include <map>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/pipeline/queue_reporter.h"
#include "dataplane/profile/sampler.h"

namespace foreflow::pipeline {

class Reporter {
 public:
  Reporter(Engine& engine, offload::Enforcer& enforcer, const Configurator& configurator)
      : engine_(engine), enforcer_(enforcer), configurator_(configurator), queues_(engine) {}

  // Since the last call. Sequence is the session's.
  wire::Report report(UnixNanos time, std::uint64_t interval_ns);

  // A new desired state was published: VMs and software intents count from now on.
  void follow();
  // The port has left; what it counted since the last report stands in the next one.
  void leave(const port::Port& port);

 private:
  using PerDirection = std::array<profile::Unseen, kDirections>;
  struct SoftwareIntent {
    offload::SoftwareLimit limit;
    wire::IntentStats before;
  };

  // How long a treatment has matched nothing.
  struct Silence {
    std::uint64_t packets = 0;
    std::uint64_t silent_ns = 0;
  };

  using ByIntent = std::map<IntentId, wire::IntentStats>;
  void read_device(ByIntent& stats);
  void add_device_drops(const offload::DeviceStats& counted);
  wire::IntentStats read_software(const offload::SoftwareLimit& limit) const;
  wire::IntentStats read_software(const offload::SoftwareTreatment& treatment, std::uint64_t interval_ns);
  profile::Sampler::AllUnseen unseen(VmId vm, vm::Slot slot) const;
  profile::LeftBehind left_behind(vm::Slot slot) const;
  wire::DataplaneSample dataplane();
  std::vector<wire::PortSample> ports();
  wire::PortSample port_sample(const port::Port& port);
  std::vector<wire::FlowSample> top_flows();
  wire::FlowSample describe(const FlowView& view, VmId vm) const;

  Engine& engine_;
  offload::Enforcer& enforcer_;
  const Configurator& configurator_;
  std::map<VmId, profile::Sampler> samplers_;
  std::map<VmId, PerDirection> device_drops_;          // totals, by the device's meters
  std::map<VmId, PerDirection> device_filtered_;       // totals, by the operator's rules in the device
  std::map<IntentId, wire::IntentStats> device_last_;  // as last read
  std::map<IntentId, SoftwareIntent> software_;
  std::map<IntentId, Silence> silences_;  // of software treatments
  wire::DataplaneSample last_;
  std::array<wire::PortSample, kMostPorts> last_ports_;  // by ethdev id
  std::vector<wire::PortSample> left_;
  QueueReporter queues_;
};

}  // namespace foreflow::pipeline
