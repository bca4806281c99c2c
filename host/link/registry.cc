// SPDX-License-Identifier: Apache-2.0
#include "host/link/registry.h"

namespace foreflow::link {

bool Registry::enter(const std::string& dataplane, Seated& session) {
  std::unique_lock lock(mutex_);
  auto& newest = newest_[dataplane];
  if (newest != nullptr) newest->cancel();
  newest = &session;
  left_.notify_all();  // an older one that waits here gives up
  const auto replaced = [&] {
    const auto found = newest_.find(dataplane);
    return closed_ || found == newest_.end() || found->second != &session;
  };
  left_.wait(lock, [&] { return replaced() || !serving_.contains(dataplane); });
  if (replaced()) return false;
  serving_[dataplane] = &session;
  return true;
}

void Registry::leave(const std::string& dataplane, Seated& session) {
  const std::lock_guard lock(mutex_);
  for (auto* map : {&newest_, &serving_})
    if (const auto found = map->find(dataplane); found != map->end() && found->second == &session) map->erase(found);
  left_.notify_all();
}

bool Registry::send(const std::string& dataplane, const wire::DesiredState& desired) {
  const std::lock_guard lock(mutex_);
  const auto found = newest_.find(dataplane);
  if (found == newest_.end()) return false;
  found->second->send(desired);
  return true;
}

void Registry::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& [dataplane, session] : newest_) session->cancel();
  left_.notify_all();
}

}  // namespace foreflow::link
