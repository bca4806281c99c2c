// SPDX-License-Identifier: Apache-2.0
// Per-worker table of flows: one cache line per flow, both directions in one record, fixed memory, bounded ageing.
// Place: dataplane/flow. One worker owns it; nothing here is shared.
// Invariants: every live record sits in exactly one bucket entry and in exactly one slot of the ageing wheel; every
// other record is on the free list. A record does not move while its flow lives.
#pragma once
#include <algorithm>
#include <array>
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
// `seed`: a table's own secret, so that a guest cannot choose flows that collide.
std::uint64_t hash(const FlowKey& key, std::uint64_t seed = 0) noexcept;

enum class TcpState : std::uint8_t { kNone, kOpening, kOpen, kClosing, kClosed };
// Who opened a connection, where its start was seen.
enum class Opener : std::uint8_t { kUnknown, kLocal, kRemote };

struct alignas(64) FlowRecord {
  FlowKey key;                          // 40 bytes with padding
  std::uint64_t egress_bytes : 48 = 0;  // L2 bytes, saturating never: 281 TB
  std::uint64_t app : 16 = 0;           // classify's service id; until decided, its conversation
  std::uint64_t ingress_bytes : 48 = 0;
  std::uint64_t protocol : 16 = 0;   // classify's protocol id, 0 = unknown
  std::uint32_t last_seen_10ms = 0;  // units of 10 ms of packet time, modulo 2^32
  std::uint8_t inspected : 5 = 0;    // payloads looked at while there was no conversation
  Opener opener : 2 = Opener::kUnknown;
  std::uint8_t decided : 1 = 0;  // verdict or budget reached: payload is not touched again
  std::uint8_t category = 0;
  std::uint8_t confidence : 7 = 0;  // percent
  std::uint8_t in_device : 1 = 0;   // offered to the device, which may carry packets of it
  TcpState tcp = TcpState::kNone;
};
static_assert(sizeof(FlowRecord) == 64);

struct FlowTableConfig {
  std::uint32_t capacity = 65'536;     // flows; memory is about 100 bytes each, taken at start; 0 = takes none
  std::uint32_t most_per_vm = 16'384;  // one VM's flood cannot evict the others
  std::uint32_t idle_seconds = 60;     // TCP in state kOpen: ten times as long; kClosed: at most kLingerSeconds
};

class FlowTable {
 public:
  static constexpr std::uint32_t kLingerSeconds = 2;  // a closed connection's last segments still find their flow

  explicit FlowTable(const FlowTableConfig& config);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  struct Found {
    FlowRecord* record = nullptr;  // null: table or quota full; the caller then counts per VM only
    bool is_new = false;
  };
  // A record is marked as seen at `now_ns`.
  Found find_or_insert(const FlowKey& key, std::uint64_t now_ns) noexcept {
    return find_or_insert(key, digest(key), now_ns);
  }
  // In three passes over a burst: digest and prefetch of all, then find_or_insert of all.
  std::uint64_t digest(const FlowKey& key) const noexcept { return hash(key, seed_); }
  void prefetch(std::uint64_t digest) const noexcept;
  Found find_or_insert(const FlowKey& key, std::uint64_t digest, std::uint64_t now_ns) noexcept;
  // Null when there is none. Does not mark it as seen.
  FlowRecord* find(const FlowKey& key) noexcept;

  // Looks at no more than `budget` records; calls on_end(record) for each flow that it removes. Once per poll.
  // A flow leaves within kLookAgainSeconds + 1 of its time, if the budget keeps up.
  template <typename OnEnd>
  void age(std::uint64_t now_ns, std::uint32_t budget, OnEnd&& on_end);

  // Removes all flows of a VM; visits at most the whole table.
  template <typename OnEnd>
  void remove_vm(vm::Slot vm, OnEnd&& on_end);
  void remove_vm(vm::Slot vm) {
    remove_vm(vm, [](const FlowRecord&) {});
  }

  // Visits the live flows among the next `budget` records from `cursor` on (start with 0) and returns the cursor to go
  // on with; 0 again when the end was reached. Flows that come and go in between may be missed.
  template <typename Visit>
  std::uint32_t scan(std::uint32_t cursor, std::uint32_t budget, Visit&& visit) const;

  std::uint32_t size() const noexcept { return size_; }
  std::uint32_t capacity() const noexcept { return static_cast<std::uint32_t>(records_.size()); }
  std::uint32_t count(vm::Slot vm) const noexcept { return vm < per_vm_.size() ? per_vm_[vm] : 0; }
  std::uint64_t full() const noexcept { return full_; }  // inserts refused

 private:
  using Index = std::uint32_t;
  static constexpr Index kNone = 0xffff'ffff;
  static constexpr std::size_t kWheelSlots = 16;  // of one second
  static constexpr std::uint64_t kLookAgainSeconds = 10;

  struct Bucket;
  struct Link {
    Index next = kNone;
    Index previous = kNone;
    std::uint8_t slot = 0;
  };
  struct Place {  // one entry of one bucket
    Bucket* bucket = nullptr;
    unsigned entry = 0;
  };

  Place locate(const FlowKey& key, std::uint64_t digest) noexcept;
  Place vacancy(std::uint64_t digest) noexcept;
  Found refuse() noexcept;
  void link(Index index, std::uint64_t second) noexcept;
  void unlink(Index index) noexcept;
  void erase(Index index) noexcept;
  bool is_live(Index index) const noexcept { return records_[index].key.vm != vm::kNoSlot; }
  // Moves the wheel on until a record is due to be looked at. kNone: none up to `now_ns`.
  Index next_due(std::uint64_t now_ns) noexcept;
  // Packet time at which the flow ends if nothing more is seen of it, as seconds from `now_ns`; 0 = it has ended.
  std::uint64_t seconds_left(const FlowRecord& record, std::uint64_t now_ns) const noexcept;
  void look_again(Index index, std::uint64_t seconds) noexcept;

  std::vector<FlowRecord> records_;
  std::vector<Link> links_;  // of the ageing wheel, or of the free list (next only)
  std::vector<Bucket> buckets_;
  std::vector<std::uint32_t> per_vm_;
  std::array<Index, kWheelSlots> wheel_;
  std::uint64_t wheel_second_ = 0;  // the slot that is being emptied
  Index free_;
  std::uint32_t size_ = 0;
  std::uint32_t most_per_vm_;
  std::uint32_t idle_10ms_;
  std::uint64_t full_ = 0;
  std::uint64_t seed_;
};

}  // namespace foreflow::flow

#include "dataplane/flow/flow_table_inline.h"
