// SPDX-License-Identifier: Apache-2.0
// Bodies of FlowTable's templates. Included by flow_table.h only.
#pragma once
#include "dataplane/flow/flow_table.h"

namespace foreflow::flow {

template <typename OnEnd>
void FlowTable::age(std::uint64_t now_ns, std::uint32_t budget, OnEnd&& on_end) {
  for (auto left = claim(now_ns, budget); left > 0; --left) {
    const auto index = hand_;
    hand_ = index + 1 == records_.size() ? 0 : index + 1;
    if (!is_live(index) || !is_over(records_[index], now_ns)) continue;
    on_end(static_cast<const FlowRecord&>(records_[index]));
    erase(index);
  }
}

template <typename OnEnd>
void FlowTable::remove_vm(vm::Slot vm, OnEnd&& on_end) {
  for (Index index = 0; index < records_.size() && count(vm) > 0; ++index) {
    if (records_[index].key.vm != vm) continue;
    on_end(static_cast<const FlowRecord&>(records_[index]));
    erase(index);
  }
}

template <typename Visit>
std::uint32_t FlowTable::scan(std::uint32_t cursor, std::uint32_t budget, Visit&& visit) const {
  const auto end = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{cursor} + budget, records_.size()));
  for (; cursor < end; ++cursor)
    if (is_live(cursor)) visit(records_[cursor]);
  return end == records_.size() ? 0 : end;
}

}  // namespace foreflow::flow
