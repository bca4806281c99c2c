// SPDX-License-Identifier: Apache-2.0
// An engine on ring ports: tests put frames into a port's queues, hand in the time, and look at what left.
// The calling thread plays all workers in turn, so that a test decides in which order they see the packets.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/pipeline/port_changes.h"
#include "dataplane/pipeline/reporter.h"
#include "tests/contract/pipeline/frames.h"

namespace foreflow::pipeline {

struct TestPort {
  std::string name;
  config::PortRole role = config::PortRole::kVm;
  std::uint32_t mtu = 1500;
  std::uint32_t queue_groups = 0;
};

// An ethdev whose cables end in the test's hands; it lasts until who runs it removes the device.
struct RingPort {
  // What is left in the queues goes with the rings.
  RingPort(const std::string& name, std::uint16_t receive_queues, std::uint16_t transmit_queues);
  ~RingPort();
  RingPort(const RingPort&) = delete;
  RingPort& operator=(const RingPort&) = delete;

  static std::vector<FrameBytes> sent(rte_ring& ring);

  std::vector<rte_ring*> receive;
  std::vector<rte_ring*> transmit;
  std::string device;
};

class Testbed {
 public:
  static constexpr std::uint64_t kSecond = 1'000'000'000;
  static constexpr std::uint32_t kFlows = 4096;
  static constexpr std::size_t kWhole = 2'000;  // bytes that a buffer has room for

  // Every port has one receive queue per worker, and as many transmit queues in each of its groups.
  // `device`: enforces what it takes; null: everything is the pipeline's. `flows`: capacity per worker; 0: none is
  // followed.
  Testbed(std::uint16_t workers, const std::vector<TestPort>& ports, const config::ClockConfig& clock = {},
          std::unique_ptr<offload::OffloadBackend> device = nullptr,
          const classify::FlowClassifierConfig& classify = {}, std::uint32_t flows = kFlows);
  ~Testbed();

  // Applies the state and waits for the grace period. Returns what was achieved.
  wire::Applied apply(const wire::DesiredState& desired);
  void use(std::shared_ptr<Signatures> signatures);

  // A device for a port that is to come; free_rings() once it has left.
  config::PortConfig make_port(const TestPort& spec);
  void free_rings(const std::string& port);
  PortChanges& changes() { return *changes_; }
  const port::Ports& devices() const { return *devices_; }

  void put(const std::string& port, std::uint16_t queue, const FrameBytes& frame) { put(port, queue, frame, kWhole); }
  // In pieces of `piece` bytes, each in a buffer of its own. `offloads`: flags that the driver sets.
  void put(const std::string& port, std::uint16_t queue, const FrameBytes& frame, std::size_t piece,
           std::uint64_t offloads = 0);
  // One round of one worker.
  void poll(std::uint16_t worker) { engine_->poll(worker, now_ns_); }
  // Rounds over all workers until none has anything to do.
  void run();
  void run_at(std::uint64_t now_ns) {
    now_ns_ = now_ns;
    run();
  }
  // One turn of control: flows move between pipeline and device.
  void serve() { configurator_->serve_flows(now_ns_); }
  // The same: peaks in the device follow what is offered.
  void lend() { configurator_->lend(now_ns_); }
  std::size_t flows_in_device() const { return configurator_->bypasser().carried(); }
  // What left through a port since the last call, in order of queues.
  std::vector<FrameBytes> sent(const std::string& port);
  // The same, of one group of queues; 0: the common ones.
  std::vector<FrameBytes> sent(const std::string& port, std::size_t group);

  wire::Report report() { return reporter_->report(UnixNanos{static_cast<std::int64_t>(now_ns_)}, kSecond); }
  Engine& engine() { return *engine_; }
  Configurator& configurator() { return *configurator_; }
  Reporter& reporter() { return *reporter_; }
  const std::vector<Problem>& problems() const { return configurator_->problems(); }
  const port::Port& find(const std::string& name) const;
  const std::vector<port::Port>& ports() const { return devices_->all(); }
  std::uint16_t workers() const { return workers_; }
  // Packets that have not come back to the pool.
  unsigned in_use() const { return rte_mempool_in_use_count(devices_->pool()); }

 private:
  int bed_;
  std::uint16_t workers_;
  std::map<std::string, std::unique_ptr<RingPort>> rings_;
  std::optional<port::Ports> devices_;
  offload::Enforcer enforcer_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Configurator> configurator_;
  std::unique_ptr<Reporter> reporter_;
  std::unique_ptr<PortChanges> changes_;
  std::uint64_t now_ns_ = kSecond;
};

// One sample of the report; a test that asks for a VM that is not there fails.
const wire::VmSample& sample_of(const wire::Report& report, VmId vm);
std::uint64_t sum(const std::array<std::uint64_t, wire::kDropCauses>& drops);

}  // namespace foreflow::pipeline
