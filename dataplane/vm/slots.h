// SPDX-License-Identifier: Apache-2.0
// Gives each VM a dense index for its life.
// Place: dataplane/vm. Thread safety: control thread only.
#pragma once
#include <map>
#include <optional>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::vm {

// Invariant: a slot is free, held by one VM, or draining (its VM is gone, its flows may not be).
class SlotAllocator {
 public:
  explicit SlotAllocator(std::size_t capacity = kMostVms) : capacity_(capacity) {}

  // The VM's slot; the same one for as long as it is held or draining.
  Result<Slot> assign(VmId vm);

  // The VM is gone. Its slot drains until release().
  void retire(VmId vm);

  // The flows of the draining slots are gone: the slots may be used again, by other VMs.
  void release(const std::vector<Slot>& slots);

  std::optional<Slot> find(VmId vm) const;
  std::vector<Slot> draining() const;
  const std::map<VmId, Slot>& held() const { return held_; }

 private:
  std::size_t capacity_;
  std::size_t used_ = 0;  // slots ever given out
  std::vector<Slot> free_;
  std::map<VmId, Slot> held_;
  std::map<VmId, Slot> draining_;
};

}  // namespace foreflow::vm
