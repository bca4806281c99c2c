// SPDX-License-Identifier: Apache-2.0
// Publishes snapshots to workers and frees the old ones after a grace period (quiescent-state-based reclamation).
// Place: dataplane/pipeline. Thread safety: publish() and settled() by the control thread; the rest by worker `worker`.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>

#include <rte_rcu_qsbr.h>

#include "common/result.h"
#include "dataplane/pipeline/snapshot.h"

namespace foreflow::pipeline {

class Publisher {
 public:
  static Result<std::unique_ptr<Publisher>> create(std::uint16_t workers);
  ~Publisher();

  // The former snapshot is freed by settled() once no worker can hold it. One change at a time: settled() first.
  void publish(std::unique_ptr<Snapshot> snapshot);
  // Never waits. True when every worker has left the snapshot before the current one.
  bool settled();

  const Snapshot* current() const noexcept { return current_.load(std::memory_order_acquire); }

  // A worker that sleeps is offline, so that it never delays a grace period; it must not hold a snapshot then.
  void online(std::uint16_t worker) noexcept { rte_rcu_qsbr_thread_online(rcu_.get(), worker); }
  void offline(std::uint16_t worker) noexcept { rte_rcu_qsbr_thread_offline(rcu_.get(), worker); }
  void quiescent(std::uint16_t worker) noexcept { rte_rcu_qsbr_quiescent(rcu_.get(), worker); }

 private:
  struct Free {
    void operator()(rte_rcu_qsbr* rcu) const noexcept;
  };
  Publisher() = default;

  std::unique_ptr<rte_rcu_qsbr, Free> rcu_;
  std::atomic<const Snapshot*> current_{nullptr};
  std::unique_ptr<const Snapshot> live_;
  std::unique_ptr<const Snapshot> former_;
  std::uint64_t token_ = 0;
  std::uint64_t serial_ = 0;
};

}  // namespace foreflow::pipeline
