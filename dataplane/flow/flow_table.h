// SPDX-License-Identifier: Apache-2.0
// Per-worker table of flows: one cache line per flow, both directions in one record, fixed memory, bounded ageing.
// Place: dataplane/flow. One worker owns it; nothing here is shared.
// A look-up touches a bucket and a record, and ageing nothing else: it walks the records in order of memory, so that a
// packet never pays for a neighbour in a list.
// Invariants: every live record sits in exactly one bucket entry; every other record is on the free list. A record does
// not move while its flow lives.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "common/category.h"
#include "common/huge_allocator.h"
#include "common/ids.h"
#include "common/units.h"
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
  std::uint8_t unused = 0;  // no padding: keys are compared as memory
  bool operator==(const FlowKey& other) const noexcept { return std::memcmp(this, &other, sizeof *this) == 0; }
};
static_assert(std::has_unique_object_representations_v<FlowKey> && sizeof(FlowKey) == 40);

inline void make_key(const net::Parsed& packet, vm::Slot vm, Direction direction, FlowKey& key) noexcept {
  const auto copy = [&packet](net::IpAddress& to, const net::IpAddress& from) {
    if (packet.ip_version != 4) return void(to = from);
    // The first word of IPv4's is 0; one load of both would wait for the parser's two stores.
    std::memset(to.bytes.data(), 0, 8);
    std::memcpy(to.bytes.data() + 8, from.bytes.data() + 8, 8);
  };
  const bool leaves = direction == Direction::kEgress;
  copy(key.local, leaves ? packet.source_ip : packet.destination_ip);
  copy(key.remote, leaves ? packet.destination_ip : packet.source_ip);
  key.local_port = leaves ? packet.source_port : packet.destination_port;
  key.remote_port = leaves ? packet.destination_port : packet.source_port;
  key.vm = vm;
  key.protocol = packet.ip_protocol;
  key.unused = 0;
}
inline FlowKey make_key(const net::Parsed& packet, vm::Slot vm, Direction direction) noexcept {
  FlowKey key;
  make_key(packet, vm, direction, key);
  return key;
}
// `seed`: a table's own secret, so that a guest cannot choose flows that collide.
std::uint64_t hash(const FlowKey& key, std::uint64_t seed = 0) noexcept;

enum class TcpState : std::uint8_t { kNone, kOpening, kOpen, kClosing, kClosed };
// Who opened a connection, where its start was seen.
enum class Opener : std::uint8_t { kUnknown, kLocal, kRemote };

struct alignas(64) FlowRecord {
  FlowKey key;                          // 40 bytes
  std::uint64_t egress_bytes : 48 = 0;  // L2 bytes, saturating never: 281 TB
  std::uint64_t app : 16 = 0;           // classify's service id; until decided, its conversation
  std::uint64_t ingress_bytes : 48 = 0;
  std::uint64_t protocol : 13 = 0;   // classify's protocol id, 0 = unknown
  std::uint64_t source : 3 = 0;      // classify's: what the verdict rests on
  std::uint32_t last_seen_10ms = 0;  // units of 10 ms of packet time, modulo 2^32; of a free record: the next one
  std::uint8_t shown : 5 = 0;        // until decided: payloads looked at without a conversation; then what they showed
  Opener opener : 2 = Opener::kUnknown;
  std::uint8_t decided : 1 = 0;  // verdict or budget reached: payload is not touched again
  std::uint8_t category : 5 = 0;
  TcpState tcp : 3 = TcpState::kNone;
  std::uint8_t confidence : 7 = 0;  // percent
  std::uint8_t in_device : 1 = 0;   // offered to the device, which may carry packets of it
  std::uint8_t packets = 0;         // both directions; stays at kMostPackets

  // Of a decided flow: classify's behaviour, and whether its hello was encrypted.
  std::uint8_t behaviour() const noexcept { return decided != 0 ? shown & 7u : 0u; }
  bool has_encrypted_hello() const noexcept { return decided != 0 && (shown & 8u) != 0; }
  void show(std::uint8_t behaviour, bool has_encrypted_hello) noexcept {
    shown = static_cast<std::uint8_t>((behaviour & 7u) | (has_encrypted_hello ? 8u : 0u));
  }

  static constexpr std::uint8_t kMostPackets = 255;
  void add_packets(std::uint64_t count) noexcept {
    packets = static_cast<std::uint8_t>(std::min<std::uint64_t>(kMostPackets, packets + count));
  }
};
static_assert(sizeof(FlowRecord) == 64 && kCategories <= 32);

struct FlowTableConfig {
  std::uint32_t capacity = 65'536;     // flows; memory is about 100 bytes each, taken at start; 0 = takes none
  std::uint32_t most_per_vm = 16'384;  // one VM's flood cannot evict the others
  std::uint32_t idle_seconds = 60;     // TCP in state kOpen: ten times as long; kClosed: at most kLingerSeconds
};

class FlowTable {
 public:
  static constexpr std::uint32_t kLingerSeconds = 2;  // a closed connection's last segments still find their flow

  explicit FlowTable(const FlowTableConfig& config);
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
  // In three passes over a burst: digest and prefetch() of all, prefetch_record() of all, then find_or_insert() of all.
  std::uint64_t digest(const FlowKey& key) const noexcept { return hash(key, seed_); }
  // Always inline, as everything around them: GCC takes a function that only prefetches for one without effect, and
  // drops the calls.
  [[gnu::always_inline]] void prefetch(std::uint64_t digest) const noexcept {
    __builtin_prefetch(&buckets_[first_choice(digest)]);
  }
  [[gnu::always_inline]] void prefetch_record(std::uint64_t digest) const noexcept {
    const auto& bucket = buckets_[first_choice(digest)];
    if (const auto matches = bucket.matching(signature(digest)); matches != 0)
      __builtin_prefetch(&records_[bucket.indices[static_cast<unsigned>(std::countr_zero(matches))]], 1);
    else
      __builtin_prefetch(&buckets_[second_choice(digest)]);
  }
  Found find_or_insert(const FlowKey& key, std::uint64_t digest, std::uint64_t now_ns) noexcept {
    const auto place = locate(key, digest);
    if (place.bucket == nullptr) [[unlikely]]
      return insert(key, digest, now_ns);
    auto& record = records_[place.bucket->indices[place.entry]];
    record.last_seen_10ms = tick(now_ns);
    return {&record, false};
  }
  // Null when there is none. Does not mark it as seen.
  FlowRecord* find(const FlowKey& key) noexcept;

  // Looks at no more than `budget` records; calls on_end(record) for each flow that it removes. Once per poll.
  // A flow leaves within kTurnSeconds of its time, if the budget keeps up.
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
  static constexpr std::uint64_t kTurnSeconds = 8;  // in which ageing sees every record
  static constexpr std::uint64_t kTickNs = 10'000'000;

  // One cache line: the signatures are compared before any record is touched. Signature 0 = the entry is empty.
  struct alignas(64) Bucket {
    static constexpr unsigned kEntries = 8;
    std::array<std::uint16_t, kEntries> signatures{};
    std::array<Index, kEntries> indices{};

    // One bit per entry.
    unsigned matching(std::uint16_t signature) const noexcept {
#ifdef __SSE2__
      const auto all = _mm_load_si128(reinterpret_cast<const __m128i*>(signatures.data()));
      const auto equal = _mm_cmpeq_epi16(all, _mm_set1_epi16(static_cast<short>(signature)));
      return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())));
#else
      unsigned mask = 0;
      for (unsigned i = 0; i < kEntries; ++i) mask |= static_cast<unsigned>(signatures[i] == signature) << i;
      return mask;
#endif
    }
  };
  struct Place {  // one entry of one bucket
    Bucket* bucket = nullptr;
    unsigned entry = 0;
  };

  static std::uint32_t tick(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kTickNs); }
  static std::uint16_t signature(std::uint64_t digest) noexcept {
    const auto high = static_cast<std::uint16_t>(digest >> 48);
    return high == 0 ? std::uint16_t{1} : high;
  }
  // A flow may be in either of two buckets, which makes full buckets rare long before the table is full.
  std::size_t first_choice(std::uint64_t digest) const noexcept { return digest & mask_; }
  std::size_t second_choice(std::uint64_t digest) const noexcept {
    const auto first = first_choice(digest);
    const auto second = (digest >> 20) & mask_;
    return second != first ? second : (first ^ 1) & mask_;
  }

  Place locate(const FlowKey& key, std::uint64_t digest) noexcept {
    for (const auto choice : {first_choice(digest), second_choice(digest)}) {
      auto& bucket = buckets_[choice];
      for (auto matches = bucket.matching(signature(digest)); matches != 0; matches &= matches - 1) {
        const auto entry = static_cast<unsigned>(std::countr_zero(matches));
        if (records_[bucket.indices[entry]].key == key) return {&bucket, entry};
      }
    }
    return {};
  }
  Place vacancy(std::uint64_t digest) noexcept;
  Found insert(const FlowKey& key, std::uint64_t digest, std::uint64_t now_ns) noexcept;
  Found refuse() noexcept;
  void erase(Index index) noexcept;
  bool is_live(Index index) const noexcept { return records_[index].key.vm != vm::kNoSlot; }
  // How many records are due to be looked at by now, at most `budget`; they count as looked at.
  std::uint32_t claim(std::uint64_t now_ns, std::uint32_t budget) noexcept;
  // The flow has been idle for too long.
  bool is_over(const FlowRecord& record, std::uint64_t now_ns) const noexcept;

  std::vector<Bucket, HugeAllocator<Bucket>> buckets_;
  std::size_t mask_;  // of their number
  std::vector<FlowRecord, HugeAllocator<FlowRecord>> records_;
  std::uint64_t seed_;
  std::vector<std::uint32_t> per_vm_;
  Index free_;
  Index hand_ = 0;             // the record that is looked at next
  std::uint64_t aged_ns_ = 0;  // until when claim() has counted
  std::uint64_t owed_ = 0;     // records times ns of a turn
  std::uint32_t size_ = 0;
  std::uint32_t most_per_vm_;
  std::uint32_t idle_10ms_;
  std::uint64_t full_ = 0;
};

}  // namespace foreflow::flow

#include "dataplane/flow/flow_table_inline.h"
