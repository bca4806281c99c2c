// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/engine.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <rte_cycles.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_pause.h>
#include <sched.h>

namespace foreflow::pipeline {
namespace {

// Rounds without work before a worker waits in short pauses, and before it sleeps.
constexpr std::uint32_t kSpinRounds = 200;
constexpr std::uint32_t kPauseRounds = 2'000;
constexpr std::chrono::microseconds kSleep{50};  // with the kernel's slack at most 100 us
// Where every queue can wake it. Flows age by rounds, so between two naps there are as many as with short sleeps.
constexpr std::chrono::milliseconds kNap{2};
constexpr std::uint32_t kRoundsPerNap = kNap / kSleep;

Result<Classifying> make_classifying(const EngineConfig& config) {
  if (!config.classify || config.flows.capacity == 0) return Classifying{};
  auto chosen = *config.classify;
  chosen.conversations = std::min({chosen.conversations, config.flows.capacity, Classifying::kMostConversations});
  chosen.conversations_per_vm = std::min(chosen.conversations_per_vm, config.flows.most_per_vm);
  return Classifying::create(chosen);
}

}  // namespace

std::uint64_t monotonic_ns() noexcept {
  // Once per poll: a product, as a division of 128 bits costs more than a packet does. Off by less than 1e-17.
  constexpr unsigned kFraction = 60;
  static const auto ns_per_cycle =
      static_cast<std::uint64_t>((static_cast<unsigned __int128>(kNanosPerSecond) << kFraction) / rte_get_tsc_hz());
  return static_cast<std::uint64_t>(static_cast<unsigned __int128>(rte_get_tsc_cycles()) * ns_per_cycle >> kFraction);
}

Result<std::unique_ptr<Engine>> Engine::create(const EngineConfig& config, rte_mempool* pool) {
  auto engine = std::unique_ptr<Engine>(new Engine(config));
  auto handover = Handover::create(config.workers);
  if (!handover) return tl::unexpected(handover.error());
  engine->handover_ = std::make_unique<Handover>(std::move(*handover));
  auto publisher = Publisher::create(config.workers);
  if (!publisher) return tl::unexpected(publisher.error());
  engine->publisher_ = std::move(*publisher);

  engine->shared_queues_ = std::vector<SharedQueue>(kMostPorts);
  engine->limits_ = std::make_unique<SharedLimits>(config.uplinks, config.workers);
  for (std::size_t uplink = 0; uplink < config.uplinks; ++uplink)
    engine->uplink_queues_.push_back(
        std::make_unique<UplinkQueue>(static_cast<std::uint16_t>(uplink % config.workers)));
  if (config.clock.source == config::ClockSource::kCapture)
    engine->timeline_ = std::make_unique<Timeline>(config.workers, config.clock.speed, monotonic_ns);
  for (std::uint16_t id = 0; id < config.workers; ++id) {
    engine->desks_.push_back(std::make_unique<BypassDesk>());
    const WorkerWiring wiring{id,
                              config.clock.source,
                              engine->shared_queues_,
                              *engine->limits_,
                              pool,
                              *engine->handover_,
                              engine->vms_,
                              config.flows,
                              engine->timeline_ ? &engine->timeline_->handed_over(id) : nullptr,
                              engine->desks_.back().get(),
                              engine->uplink_queues_};
    auto classifying = make_classifying(config);
    if (!classifying) return tl::unexpected(classifying.error());
    engine->workers_.push_back(std::make_unique<Worker>(wiring, std::move(*classifying)));
    engine->jobs_.push_back({engine.get(), id});
  }
  return engine;
}

Engine::~Engine() { stop(); }

Status Engine::launch() {
  unsigned lcore = 0;
  std::vector<unsigned> lcores;
  RTE_LCORE_FOREACH_WORKER(lcore) lcores.push_back(lcore);
  if (lcores.size() < workers_.size())
    return fail(ErrorCode::kInvalidConfig, fmt::format("{} workers need {} lcores beside the main one; EAL has {}",
                                                       workers_.size(), workers_.size(), lcores.size()));
  for (std::size_t worker = 0; worker < workers_.size(); ++worker) {
    if (const int error = rte_eal_remote_launch(entry, &jobs_[worker], lcores[worker]); error != 0)
      return fail(ErrorCode::kInternal, fmt::format("lcore {} is busy", lcores[worker]));
    lcores_.push_back(lcores[worker]);
  }
  return {};
}

void Engine::stop() {
  if (!lcores_.empty()) stop_workers();
  // A worker that was late gave packets to one that had left already.
  for (auto& worker : workers_) worker->discard_handed_over();
}

void Engine::stop_workers() {
  phase_.store(Phase::kDraining, std::memory_order_release);
  // A packet crosses at most two rings; each needs a round of its worker.
  constexpr int kMostWaits = 100;
  for (int waits = 0, dry = 0; waits < kMostWaits && dry < 3; ++waits) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    dry = is_empty() ? dry + 1 : 0;
  }
  phase_.store(Phase::kStopped, std::memory_order_release);
  for (const auto lcore : lcores_) rte_eal_wait_lcore(lcore);
  lcores_.clear();
}

bool Engine::is_empty() const noexcept {
  return handover_->empty() && std::ranges::none_of(uplink_queues_, [](const auto& queue) { return queue->waits(); });
}

std::size_t Engine::poll(std::uint16_t worker, std::uint64_t now_ns) {
  return workers_[worker]->poll(*publisher_->current(), now_ns);
}

int Engine::entry(void* job) {
  const auto& [engine, worker] = *static_cast<Job*>(job);
  engine->run(worker);
  return 0;
}

void Engine::run(std::uint16_t id) {
  auto& worker = *workers_[id];
  Idleness idle;
  publisher_->online(id);
  for (auto phase = Phase::kRunning; phase != Phase::kStopped; phase = phase_.load(std::memory_order_acquire)) {
    const auto& snapshot = *publisher_->current();
    const auto handled = phase == Phase::kRunning ? worker.poll(snapshot, now()) : worker.drain(snapshot, now());
    if (timeline_) timeline_->arrive(id, {worker.next_due(), worker.taken_over()});
    publisher_->quiescent(id);
    idle = handled != 0 ? Idleness{} : Idleness{idle.rounds + 1, idle.was_woken};
    if (idle.rounds > kSpinRounds) rest(id, idle);
  }
  publisher_->offline(id);
}

void Engine::rest(std::uint16_t worker, Idleness& idle) {
  if (timeline_ && config_.clock.speed == 0) {
    sched_yield();  // others may have to catch up before time moves on
  } else if (idle.rounds < kPauseRounds || !config_.idle_sleep) {
    rte_pause();
  } else {
    publisher_->offline(worker);
    sleep(worker, idle);
    publisher_->online(worker);
  }
}

// Who was woken for nothing (an interface that is down wakes for ever) takes short sleeps until there is work.
void Engine::sleep(std::uint16_t worker, Idleness& idle) {
  const auto fds = workers_[worker]->arrival_fds();
  if (!fds || idle.was_woken) return std::this_thread::sleep_for(kSleep);
  idle.was_woken = handover_->doorbell(worker).sleep(
      *fds, kNap, [&] { return !handover_->empty(worker) || workers_[worker]->holds(); });
  idle.rounds -= kRoundsPerNap;
}

}  // namespace foreflow::pipeline
