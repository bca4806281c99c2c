// SPDX-License-Identifier: Apache-2.0
// Per-worker table of flows: one cache line per flow, both directions in one record, fixed memory, bounded ageing.
// Place: dataplane/flow. One worker owns it; nothing here is shared.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "common/ids.h"
#include "dataplane/net/parse.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::flow {

// Seen from the VM, so that both directions have one key.
struct FlowKey {
  net::IpAddress local;  // the VM's end
  net::IpAddress remote;
  std::uint16_t local_port = 0;
  std::uint16_t remote_port = 0;
  vm::Slot vm = vm::kNoSlot;
  std::uint8_t protocol = 0;
  bool operator==(const FlowKey&) const = default;
};

FlowKey make_key(const net::Parsed& packet, vm::Slot vm, Direction direction) noexcept;
std::uint32_t hash(const FlowKey& key) noexcept;

enum class TcpState : std::uint8_t { kNone, kOpening, kOpen, kClosing, kClosed };

struct alignas(64) FlowRecord {
  FlowKey key;                          // 40 bytes with padding
  std::uint64_t egress_bytes : 48 = 0;  // L2 bytes, saturating never: 281 TB
  std::uint64_t app : 16 = 0;           // classify's service id
  std::uint64_t ingress_bytes : 48 = 0;
  std::uint64_t protocol : 16 = 0;   // classify's protocol id, 0 = unknown
  std::uint32_t last_seen_10ms = 0;  // units of 10 ms of packet time
  std::uint8_t inspected : 7 = 0;    // payloads looked at
  std::uint8_t decided : 1 = 0;      // verdict or budget reached: payload is not touched again
  std::uint8_t category = 0;
  std::uint8_t confidence = 0;  // percent
  TcpState tcp = TcpState::kNone;
};
static_assert(sizeof(FlowRecord) == 64);

struct FlowTableConfig {
  std::uint32_t capacity = 65'536;     // flows; memory is about 72 bytes each, taken at start
  std::uint32_t most_per_vm = 16'384;  // one VM's flood cannot evict the others
  std::uint32_t idle_seconds = 60;     // TCP in state kOpen: ten times as long
};

class FlowTable {
 public:
  // `on_end(record)` is called when a flow ages out or its VM is removed.
  explicit FlowTable(const FlowTableConfig& config);
  ~FlowTable();

  struct Found {
    FlowRecord* record = nullptr;  // null: table or quota full; the caller then counts per VM only
    bool is_new = false;
  };
  Found find_or_insert(const FlowKey& key, std::uint64_t now_ns) noexcept;

  // Looks at no more than `budget` records; calls on_end(record) for each flow that it removes. Once per poll.
  template <typename OnEnd>
  void age(std::uint64_t now_ns, std::uint32_t budget, OnEnd&& on_end);

  void remove_vm(vm::Slot vm);
  std::uint32_t size() const noexcept;
  std::uint32_t count(vm::Slot vm) const noexcept;
  std::uint64_t full() const noexcept;  // inserts refused
};

}  // namespace foreflow::flow
