// SPDX-License-Identifier: Apache-2.0
// Rules of one group, found by tuple space search: one hash table per distinct mask, tried from the strongest priority.
// Place: dataplane/offload/emulated. Thread safety: none; readers and the writer are kept apart by the gate.
#pragma once
#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "dataplane/offload/emulated/packet_key.h"

namespace foreflow::offload::emulated {

class Group;
struct Meter;

struct Rule {
  std::uint16_t owner = 0;  // port through which it was created
  Group* group = nullptr;
  std::uint32_t priority = 0;  // 0 wins
  PacketKey mask;
  PacketKey value;
  bool counts = false;
  bool drops = false;
  Meter* meter = nullptr;
  Group* jump = nullptr;
  std::optional<std::uint8_t> dscp;
  std::uint16_t metadata = 0;  // written where metadata_mask has bits
  std::uint16_t metadata_mask = 0;
  std::optional<std::uint16_t> mirror_port;
  std::optional<std::uint16_t> out_port;
  std::uint64_t idle_ns = 0;  // of its AGE; 0 = it has none
  std::uint32_t slot = 0;     // in the device's memory
  std::atomic<std::uint64_t> packets{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> last_hit_ns{0};
  // What a caller is told where counters come late, and of when that is; management only.
  std::uint64_t told_packets = 0;
  std::uint64_t told_bytes = 0;
  std::uint64_t told_ns = 0;
};

class Group {
 public:
  explicit Group(std::uint32_t number) : number_(number) {}
  std::uint32_t number() const { return number_; }

  // nullptr is a miss.
  Rule* find(const PacketKey& key) const;
  // False when a rule with the same match and priority is there.
  bool insert(Rule& rule);
  void remove(Rule& rule);

 private:
  using RulesByPriority = std::vector<Rule*>;
  struct Tuple {
    PacketKey mask;
    std::unordered_map<PacketKey, RulesByPriority, PacketKeyHash> rules;
    std::map<std::uint32_t, std::size_t> priorities;  // with the number of rules that have it
    std::uint32_t strongest() const { return priorities.begin()->first; }
  };
  void sort();

  std::uint32_t number_;
  std::vector<Tuple> tuples_;  // none is empty; by strongest priority
};

}  // namespace foreflow::offload::emulated
