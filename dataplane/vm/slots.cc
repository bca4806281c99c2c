// SPDX-License-Identifier: Apache-2.0
#include "dataplane/vm/slots.h"

#include <algorithm>

#include <fmt/format.h>

namespace foreflow::vm {

Result<Slot> SlotAllocator::assign(VmId vm) {
  if (const auto held = held_.find(vm); held != held_.end()) return held->second;
  if (const auto back = draining_.find(vm); back != draining_.end()) {
    const auto slot = back->second;
    draining_.erase(back);
    return held_[vm] = slot;
  }
  if (!free_.empty()) {
    const auto slot = free_.back();
    free_.pop_back();
    return held_[vm] = slot;
  }
  if (used_ == capacity_)
    return fail(ErrorCode::kExhausted, fmt::format("VM {}: all {} slots are taken", vm.value, capacity_));
  return held_[vm] = static_cast<Slot>(used_++);
}

void SlotAllocator::retire(VmId vm) {
  if (const auto held = held_.extract(vm)) draining_.emplace(held.key(), held.mapped());
}

void SlotAllocator::release(const std::vector<Slot>& slots) {
  for (const auto slot : slots) {
    const auto drained =
        std::find_if(draining_.begin(), draining_.end(), [&](const auto& d) { return d.second == slot; });
    if (drained == draining_.end()) continue;
    draining_.erase(drained);
    free_.push_back(slot);
  }
}

std::optional<Slot> SlotAllocator::find(VmId vm) const {
  const auto held = held_.find(vm);
  return held == held_.end() ? std::nullopt : std::optional(held->second);
}

std::vector<Slot> SlotAllocator::draining() const {
  std::vector<Slot> slots;
  for (const auto& [vm, slot] : draining_) slots.push_back(slot);
  return slots;
}

}  // namespace foreflow::vm
