// SPDX-License-Identifier: Apache-2.0
// A fixed number of values that come and go, of which a VM holds at most its quota, so that one VM cannot starve the
// others. Memory is taken at construction.
// Place: dataplane/classify; conversations and reassembly buffers. One worker owns a pool.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace foreflow::classify {

// `Value` has a reset(), called when it is taken. Ids start at 1; [0] is a spare that is never taken.
template <typename Value, typename Id>
class QuotaPool {
 public:
  QuotaPool(Id count, Id most_per_vm)
      : values_(std::size_t{count} + 1), held_by_(values_.size()), most_per_vm_(most_per_vm) {
    free_.reserve(count);
    for (Id id = count; id > 0; --id) free_.push_back(id);
  }

  // 0 when the pool or the VM's quota is exhausted, which is counted.
  Id take(std::uint16_t vm) noexcept {
    auto& held = held_[vm % kVmBuckets];
    if (free_.empty() || held >= most_per_vm_) return ++exhausted_, Id{0};
    const auto id = free_.back();
    free_.pop_back();
    ++held;
    held_by_[id] = vm;
    values_[id].reset();
    return id;
  }
  // Sets `id` to 0; without effect when it is 0.
  void give_back(Id& id) noexcept {
    if (id == 0) return;
    --held_[held_by_[id] % kVmBuckets];
    free_.push_back(id);  // never grows past what was there at construction
    id = 0;
  }

  Value& operator[](Id id) noexcept { return values_[id]; }
  std::uint64_t exhausted() const noexcept { return exhausted_; }
  std::size_t free_count() const noexcept { return free_.size(); }

 private:
  static constexpr std::size_t kVmBuckets = 4'096;

  std::vector<Value> values_;
  std::vector<std::uint16_t> held_by_;
  std::vector<Id> free_;
  std::array<Id, kVmBuckets> held_{};  // VMs that share a bucket share a quota
  Id most_per_vm_;
  std::uint64_t exhausted_ = 0;
};

}  // namespace foreflow::classify
