// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/publisher.h"

#include <cassert>

#include <fmt/format.h>
#include <rte_malloc.h>

namespace foreflow::pipeline {

void Publisher::Free::operator()(rte_rcu_qsbr* rcu) const noexcept { rte_free(rcu); }

Result<std::unique_ptr<Publisher>> Publisher::create(std::uint16_t workers) {
  auto publisher = std::unique_ptr<Publisher>(new Publisher);
  const auto size = rte_rcu_qsbr_get_memsize(workers);
  publisher->rcu_.reset(static_cast<rte_rcu_qsbr*>(rte_zmalloc("publisher", size, RTE_CACHE_LINE_SIZE)));
  if (!publisher->rcu_ || rte_rcu_qsbr_init(publisher->rcu_.get(), workers) != 0)
    return fail(ErrorCode::kExhausted, fmt::format("no memory for {} bytes of reclamation state", size));
  for (std::uint16_t worker = 0; worker < workers; ++worker)
    rte_rcu_qsbr_thread_register(publisher->rcu_.get(), worker);
  auto empty = std::make_unique<Snapshot>();
  publisher->current_.store(empty.get(), std::memory_order_release);
  publisher->live_ = std::move(empty);
  return publisher;
}

Publisher::~Publisher() = default;

void Publisher::publish(std::unique_ptr<Snapshot> snapshot) {
  assert(!former_ && "settled() comes first");
  snapshot->serial = ++serial_;
  current_.store(snapshot.get(), std::memory_order_release);
  former_ = std::exchange(live_, std::move(snapshot));
  token_ = rte_rcu_qsbr_start(rcu_.get());
}

bool Publisher::settled() {
  if (!former_) return true;
  if (rte_rcu_qsbr_check(rcu_.get(), token_, false) != 1) return false;
  former_.reset();
  return true;
}

}  // namespace foreflow::pipeline
