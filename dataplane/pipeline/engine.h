// SPDX-License-Identifier: Apache-2.0
// The packet path as a whole: workers on their lcores, what they share, and what outlives a configuration.
// Place: dataplane/pipeline. Thread safety: control thread (the main lcore).
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "dataplane/config/config.h"
#include "dataplane/pipeline/handover.h"
#include "dataplane/pipeline/publisher.h"
#include "dataplane/pipeline/timeline.h"
#include "dataplane/pipeline/worker.h"

namespace foreflow::pipeline {

// Nanoseconds that only grow, from the TSC.
std::uint64_t monotonic_ns() noexcept;

struct EngineConfig {
  std::uint16_t workers = 1;
  flow::FlowTableConfig flows;
  config::ClockConfig clock;
  bool idle_sleep = true;
  std::size_t uplinks = 1;  // at most, at any time
  // Of each worker; there are never more conversations than flows. Nullopt: nothing is classified.
  std::optional<classify::FlowClassifierConfig> classify = classify::FlowClassifierConfig{};
};

class Engine {
 public:
  // `pool` outlives the engine. Nothing runs before launch(); which ports there are, snapshots tell.
  static Result<std::unique_ptr<Engine>> create(const EngineConfig& config, rte_mempool* pool);
  ~Engine();

  // Starts worker w on the w-th worker lcore.
  Status launch();
  // Takes nothing new, lets the rings and the uplinks' queues run dry, sends what is left, and waits for the workers.
  // What is in the rings nevertheless is freed and counted as lost on hand-over, in the queues as of a full queue.
  void stop();

  Publisher& publisher() noexcept { return *publisher_; }
  const Handover& handover() const noexcept { return *handover_; }
  vm::VmTable& vms() noexcept { return vms_; }
  SharedLimits& limits() noexcept { return *limits_; }
  std::span<const std::unique_ptr<UplinkQueue>> uplink_queues() const noexcept { return uplink_queues_; }
  std::span<const std::unique_ptr<Worker>> workers() const noexcept { return workers_; }
  std::span<const std::unique_ptr<BypassDesk>> desks() const noexcept { return desks_; }
  // Null when the clock is the wall's.
  Timeline* timeline() noexcept { return timeline_.get(); }
  // Time of the packet path.
  std::uint64_t now() const noexcept { return timeline_ ? timeline_->now() : monotonic_ns(); }

  // One round of worker `worker` by the calling thread, for who does not launch().
  std::size_t poll(std::uint16_t worker, std::uint64_t now_ns);

 private:
  enum class Phase : std::uint8_t { kRunning, kDraining, kStopped };
  struct Idleness {
    std::uint32_t rounds = 0;  // without work
    bool was_woken = false;    // since there was work
  };
  struct Job {
    Engine* engine;
    std::uint16_t worker;
  };

  explicit Engine(const EngineConfig& config) : config_(config) {}
  void stop_workers();
  bool is_empty() const noexcept;
  static int entry(void* job);
  void run(std::uint16_t worker);
  void rest(std::uint16_t worker, Idleness& idle);
  void sleep(std::uint16_t worker, Idleness& idle);

  EngineConfig config_;
  std::unique_ptr<Handover> handover_;
  std::unique_ptr<Publisher> publisher_;
  vm::VmTable vms_;
  std::vector<SharedQueue> shared_queues_;
  std::unique_ptr<SharedLimits> limits_;
  std::vector<std::unique_ptr<UplinkQueue>> uplink_queues_;
  std::unique_ptr<Timeline> timeline_;
  std::vector<std::unique_ptr<BypassDesk>> desks_;  // by worker
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Job> jobs_;
  std::vector<unsigned> lcores_;
  std::atomic<Phase> phase_{Phase::kRunning};
};

}  // namespace foreflow::pipeline
