// SPDX-License-Identifier: Apache-2.0
// Any bytes as operations on a flow table, against maps of the standard library. See targets.h for who drives it.
#pragma once
#include <cstdint>
#include <unordered_map>

#include "dataplane/flow/flow_table.h"
#include "tests/fuzz/targets.h"

namespace foreflow::fuzz {

class FlowTableModel {
 public:
  // Three bytes each: what to do, and with which flow or for how long.
  void run(Input operations) {
    for (; operations.size() >= 3; operations = operations.subspan(3)) {
      const auto argument = static_cast<std::uint16_t>(operations[1] << 8 | operations[2]);
      switch (operations[0] % 8) {
        case 0:
          age(argument);
          break;
        case 1:
          remove_vm(static_cast<vm::Slot>(argument % kVms));
          break;
        case 2:
          find(argument);
          break;
        default:
          insert(argument);
      }
      require(table_.size() == flows_.size());
    }
    scan();
  }

 private:
  static constexpr vm::Slot kVms = 3;
  static constexpr flow::FlowTableConfig kConfig{.capacity = 64, .most_per_vm = 40, .idle_seconds = 5};
  struct Flow {
    vm::Slot vm = 0;
    std::uint64_t bytes = 0;
  };

  static vm::Slot vm_of(std::uint16_t number) { return static_cast<vm::Slot>(number % kVms); }
  static flow::FlowKey key_of(std::uint16_t number) {
    flow::FlowKey key;
    key.local_port = number;
    key.remote_port = 443;
    key.vm = vm_of(number);
    key.protocol = net::kUdp;
    return key;
  }

  void insert(std::uint16_t number) {
    const auto [record, is_new] = table_.find_or_insert(key_of(number), now_ns_);
    const auto known = flows_.find(number);
    if (record == nullptr) {
      require(known == flows_.end());
      require(flows_.size() == kConfig.capacity || count(vm_of(number)) == kConfig.most_per_vm);
      return;
    }
    require(is_new == (known == flows_.end()));
    auto& flow = flows_.try_emplace(number, Flow{vm_of(number)}).first->second;
    require(record->key == key_of(number) && record->egress_bytes == flow.bytes);
    record->egress_bytes = flow.bytes += number;
  }

  void find(std::uint16_t number) {
    const auto* record = table_.find(key_of(number));
    const auto known = flows_.find(number);
    require((record != nullptr) == (known != flows_.end()));
    require(record == nullptr || record->egress_bytes == known->second.bytes);
  }

  void age(std::uint16_t ms) {
    now_ns_ += ms * std::uint64_t{1'000'000};
    table_.age(now_ns_, ms % 50, [this](const flow::FlowRecord& record) { forget(record); });
  }

  void remove_vm(vm::Slot vm) {
    table_.remove_vm(vm, [this](const flow::FlowRecord& record) { forget(record); });
    require(table_.count(vm) == 0 && count(vm) == 0);
  }

  void forget(const flow::FlowRecord& record) {
    const auto known = flows_.find(record.key.local_port);
    require(known != flows_.end() && known->second.bytes == record.egress_bytes);
    flows_.erase(known);
  }

  void scan() const {
    std::size_t live = 0;
    table_.scan(0, kConfig.capacity, [&](const flow::FlowRecord& record) {
      ++live;
      require(flows_.contains(record.key.local_port));
    });
    require(live == flows_.size());
  }

  std::uint32_t count(vm::Slot vm) const {
    std::uint32_t sum = 0;
    for (const auto& [number, flow] : flows_) sum += flow.vm == vm ? 1 : 0;
    return sum;
  }

  flow::FlowTable table_{kConfig};
  std::unordered_map<std::uint16_t, Flow> flows_;
  std::uint64_t now_ns_ = 1'000'000'000'000;
};

inline void flow_table(Input operations) { FlowTableModel().run(operations); }

}  // namespace foreflow::fuzz
