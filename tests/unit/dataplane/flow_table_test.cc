// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/flow_table.h"

#include <algorithm>
#include <random>
#include <set>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

#include "common/units.h"

namespace foreflow::flow {
namespace {

constexpr std::uint64_t kSecond = kNanosPerSecond;
constexpr std::uint64_t kStart = 1'700'000'000 * kSecond;

FlowKey key_of(std::uint32_t number, vm::Slot vm = 1) {
  FlowKey key{.local_port = static_cast<std::uint16_t>(number),
              .remote_port = static_cast<std::uint16_t>(number >> 16),
              .vm = vm,
              .protocol = net::kTcp};
  key.remote.bytes[15] = 7;
  return key;
}

std::uint32_t aged(FlowTable& table, std::uint64_t now_ns, std::uint32_t budget = 1'000'000) {
  std::uint32_t ended = 0;
  table.age(now_ns, budget, [&ended](const FlowRecord&) { ++ended; });
  return ended;
}

TEST(FlowKey, IsTheSameForBothDirections) {
  net::Parsed out;
  out.source_ip.bytes[15] = 1;
  out.destination_ip.bytes[15] = 2;
  out.source_port = 1000;
  out.destination_port = 80;
  out.ip_protocol = net::kTcp;
  auto in = out;
  std::swap(in.source_ip, in.destination_ip);
  std::swap(in.source_port, in.destination_port);
  const auto key = make_key(out, 3, Direction::kEgress);
  EXPECT_EQ(key, make_key(in, 3, Direction::kIngress));
  EXPECT_EQ(key.local.bytes[15], 1);
  EXPECT_EQ(key.remote_port, 80);
  EXPECT_NE(key, make_key(out, 3, Direction::kIngress));
}

TEST(FlowHash, DependsOnEveryField) {
  const auto base = key_of(5);
  std::set<std::uint64_t> seen{hash(base), hash(base, 1)};
  auto key = base;
  key.local.bytes[9] = 1, seen.insert(hash(key)), key = base;
  key.remote.bytes[3] = 1, seen.insert(hash(key)), key = base;
  key.local_port ^= 1, seen.insert(hash(key)), key = base;
  key.remote_port ^= 1, seen.insert(hash(key)), key = base;
  key.vm ^= 1, seen.insert(hash(key)), key = base;
  key.protocol ^= 1, seen.insert(hash(key));
  EXPECT_EQ(seen.size(), 8u);
}

// A table half full: flows of adjacent ports, each in the emptier of two buckets of eight. Seeds with which the two
// choices once went together, and some plain ones.
TEST(FlowKey, GivesAdjacentPortsTwoIndependentBucketsWithEverySeed) {
  constexpr std::size_t kBuckets = 16'384;
  for (const std::uint64_t seed :
       {0x20563702a4bc9d5cul, 0xcb61b7c194c3327cul, 0x8621292dd612c297ul, 0x0ul, 0x1ul, ~0x0ul}) {
    std::vector<unsigned> count(kBuckets);
    for (std::uint32_t i = 0; i < 4 * kBuckets; ++i) {
      const auto digest = hash(key_of(i), seed);
      auto& first = count[digest % kBuckets];
      auto& second = count[(digest >> 20) % kBuckets];
      ++(second < first ? second : first);
    }
    EXPECT_LE(*std::max_element(count.begin(), count.end()), 8u) << std::hex << seed;
  }
}

TEST(FlowTable, FindsWhatItInserted) {
  FlowTable table({});
  const auto first = table.find_or_insert(key_of(1), kStart);
  ASSERT_NE(first.record, nullptr);
  EXPECT_TRUE(first.is_new);
  first.record->egress_bytes = 42;
  const auto again = table.find_or_insert(key_of(1), kStart);
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.record, first.record);
  EXPECT_EQ(table.find(key_of(1))->egress_bytes, 42u);
  EXPECT_EQ(table.find(key_of(2)), nullptr);
}

TEST(FlowTable, HoldsItsWholeCapacityThenRefusesAndCounts) {
  FlowTable table({.capacity = 65'536, .most_per_vm = 65'536});
  for (std::uint32_t i = 0; i < 65'536; ++i) ASSERT_NE(table.find_or_insert(key_of(i), kStart).record, nullptr) << i;
  EXPECT_EQ(table.full(), 0u);
  EXPECT_EQ(table.find_or_insert(key_of(65'536), kStart).record, nullptr);
  EXPECT_EQ(table.full(), 1u);
  EXPECT_EQ(table.size(), 65'536u);
}

TEST(FlowTable, OneVmsFloodLeavesRoomForOthers) {
  FlowTable table({.capacity = 100, .most_per_vm = 60});
  for (std::uint32_t i = 0; i < 100; ++i) table.find_or_insert(key_of(i, 1), kStart);
  EXPECT_EQ(table.count(1), 60u);
  EXPECT_EQ(table.full(), 40u);
  EXPECT_NE(table.find_or_insert(key_of(1, 2), kStart).record, nullptr);
}

// 400,000 SYNs a second of one VM, each of another flow, and 1,000 connections of its neighbour.
TEST(FlowTable, ASynFloodOfTenMillionFlowsTouchesNoOtherVmsFlow) {
  constexpr std::uint32_t kFlood = 10'000'000;
  constexpr std::uint32_t kConnections = 1'000;
  FlowTable table({.capacity = 32'768, .most_per_vm = 16'384, .idle_seconds = 4});
  const auto capacity = table.capacity();
  std::vector<const FlowRecord*> places;
  for (std::uint32_t i = 0; i < kConnections; ++i) places.push_back(table.find_or_insert(key_of(i, 2), kStart).record);
  std::uint64_t tracked = 0;
  std::uint64_t ended = 0;
  for (std::uint32_t i = 0; i < kFlood; ++i) {
    const auto now = kStart + i * std::uint64_t{2'500};
    if (const auto found = table.find_or_insert(key_of(i, 1), now); found.record != nullptr) {
      ASSERT_TRUE(found.is_new);
      found.record->tcp = TcpState::kOpening;
      ++tracked;
    }
    if (i % 32 == 0) table.age(now, 64, [&ended](const FlowRecord& flow) { ended += flow.key.vm == 1 ? 1 : kFlood; });
    if (i % 1'000 != 0) continue;
    const auto other = i / 1'000 % kConnections;
    const auto found = table.find_or_insert(key_of(other, 2), now);
    ASSERT_FALSE(found.is_new);
    ASSERT_EQ(found.record, places[other]);
    found.record->egress_bytes += 100;
  }
  for (const auto* record : places) EXPECT_EQ(record->egress_bytes, 1'000u);
  EXPECT_EQ(table.count(2), kConnections);
  EXPECT_EQ(table.capacity(), capacity);
  EXPECT_EQ(tracked + table.full(), kFlood);
  EXPECT_EQ(tracked - ended, table.count(1));
  EXPECT_GT(tracked, 2u * 16'384);  // what has ended makes room
}

TEST(FlowTable, RefusesASlotThatDoesNotExist) {
  FlowTable table({});
  EXPECT_EQ(table.find_or_insert(key_of(1, vm::kNoSlot), kStart).record, nullptr);
  EXPECT_EQ(table.count(vm::kNoSlot), 0u);
}

TEST(FlowTable, IdleFlowsEndAndOthersStay) {
  FlowTable table({.capacity = 100, .idle_seconds = 60});
  table.find_or_insert(key_of(1), kStart);
  table.find_or_insert(key_of(2), kStart);
  for (std::uint64_t second = 1; second <= 80; ++second) {
    if (second < 50) table.find_or_insert(key_of(2), kStart + second * kSecond);
    const auto ended = aged(table, kStart + second * kSecond);
    if (second < 60) {
      ASSERT_EQ(ended, 0u) << second;
    }
  }
  EXPECT_EQ(table.find(key_of(1)), nullptr);
  EXPECT_NE(table.find(key_of(2)), nullptr);
  EXPECT_EQ(table.size(), 1u);
}

TEST(FlowTable, OpenConnectionsStayTenTimesAsLongAndClosedOnesLeaveSoon) {
  FlowTable table({.capacity = 100, .idle_seconds = 60});
  table.find_or_insert(key_of(1), kStart).record->tcp = TcpState::kOpen;
  table.find_or_insert(key_of(2), kStart).record->tcp = TcpState::kClosed;
  EXPECT_EQ(aged(table, kStart + 11 * kSecond), 1u);
  EXPECT_EQ(table.find(key_of(2)), nullptr);
  for (std::uint64_t second = 12; second < 600; ++second) ASSERT_EQ(aged(table, kStart + second * kSecond), 0u);
  std::uint32_t ended = 0;
  for (std::uint64_t second = 600; second <= 612; ++second) ended += aged(table, kStart + second * kSecond);
  EXPECT_EQ(ended, 1u);
}

TEST(FlowTable, AgeingStopsAtItsBudgetAndGoesOnLater) {
  FlowTable table({.capacity = 1'000, .most_per_vm = 1'000, .idle_seconds = 1});
  for (std::uint32_t i = 0; i < 1'000; ++i) table.find_or_insert(key_of(i), kStart);
  EXPECT_EQ(aged(table, kStart + 100 * kSecond, 300), 300u);
  EXPECT_EQ(aged(table, kStart + 100 * kSecond, 300), 300u);
  EXPECT_EQ(aged(table, kStart + 100 * kSecond), 400u);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, TimeThatRunsBackwardsEndsNothing) {
  FlowTable table({.capacity = 100, .idle_seconds = 1});
  table.find_or_insert(key_of(1), kStart + 50 * kSecond);
  EXPECT_EQ(aged(table, kStart), 0u);
  EXPECT_EQ(aged(table, kStart + 49 * kSecond), 0u);
}

TEST(FlowTable, AgesAcrossTheWrapOfItsTicks) {
  const std::uint64_t wrap = (std::uint64_t{1} << 32) * 10'000'000;
  FlowTable table({.capacity = 100, .idle_seconds = 5});
  table.find_or_insert(key_of(1), wrap - kSecond);
  EXPECT_EQ(aged(table, wrap + kSecond), 0u);
  EXPECT_EQ(aged(table, wrap + 20 * kSecond), 1u);
}

TEST(FlowTable, WithoutCapacityTakesNothing) {
  FlowTable table({.capacity = 0});
  EXPECT_EQ(table.find_or_insert(key_of(1), kStart).record, nullptr);
  EXPECT_EQ(table.full(), 1u);
  EXPECT_EQ(table.scan(0, 10, [](const FlowRecord&) { FAIL(); }), 0u);
  EXPECT_EQ(aged(table, kStart + 100 * kSecond), 0u);
}

TEST(FlowTable, RemovingAVmEndsItsFlowsAlone) {
  FlowTable table({.capacity = 1'000});
  for (std::uint32_t i = 0; i < 400; ++i) table.find_or_insert(key_of(i, static_cast<vm::Slot>(1 + i % 2)), kStart);
  std::uint32_t ended = 0;
  table.remove_vm(1, [&ended](const FlowRecord& record) { ended += record.key.vm == 1; });
  EXPECT_EQ(ended, 200u);
  EXPECT_EQ(table.count(1), 0u);
  EXPECT_EQ(table.count(2), 200u);
  EXPECT_EQ(aged(table, kStart + 1'000 * kSecond), 200u) << "the rest still ages";
}

TEST(FlowTable, AScanInPiecesVisitsEveryFlowOnce) {
  FlowTable table({.capacity = 1'000});
  for (std::uint32_t i = 0; i < 333; ++i) table.find_or_insert(key_of(i), kStart);
  std::set<std::uint16_t> visited;
  std::uint32_t cursor = 0;
  std::uint32_t calls = 0;
  do {
    cursor = table.scan(cursor, 64, [&visited](const FlowRecord& record) {
      EXPECT_TRUE(visited.insert(record.key.local_port).second);
    });
    ++calls;
  } while (cursor != 0);
  EXPECT_EQ(visited.size(), 333u);
  EXPECT_EQ(calls, 16u);
}

// The table against a std::unordered_map that has no notion of time, quota or capacity.
TEST(FlowTable, AgreesWithAMapUnderRandomOperations) {
  constexpr FlowTableConfig kConfig{.capacity = 4'000, .most_per_vm = 1'000, .idle_seconds = 20};
  struct Model {
    std::uint64_t bytes = 0;
    std::uint64_t seen = 0;
    vm::Slot vm = 0;
  };
  FlowTable table(kConfig);
  std::unordered_map<std::uint32_t, Model> model;
  std::unordered_map<vm::Slot, std::uint32_t> counts;
  std::mt19937 random(7);
  auto now = kStart;
  std::uint64_t refused = 0;
  for (int step = 0; step < 300'000; ++step) {
    now += random() % 2'000'000;
    const auto number = static_cast<std::uint32_t>(random() % 9'000);
    const auto vm = static_cast<vm::Slot>(1 + number % 6);
    const auto action = random() % 10'000;
    if (action == 0) {
      table.remove_vm(vm);
      std::erase_if(model, [vm](const auto& entry) { return entry.second.vm == vm; });
      counts[vm] = 0;
    } else if (action <= 2'000) {
      table.age(now, 50, [&](const FlowRecord& record) {
        const auto flow = model.find(record.key.local_port);
        ASSERT_NE(flow, model.end());
        EXPECT_EQ(flow->second.bytes, record.egress_bytes);
        // One tick of 10 ms may be rounded away.
        EXPECT_GE(now - flow->second.seen + 10'000'000, kConfig.idle_seconds * kSecond);
        --counts[record.key.vm];
        model.erase(flow);
      });
    } else if (const auto [record, is_new] = table.find_or_insert(key_of(number, vm), now); record == nullptr) {
      ++refused;
      ASSERT_FALSE(model.contains(number));
      ASSERT_TRUE(counts[vm] == kConfig.most_per_vm || model.size() == kConfig.capacity);
    } else {
      ASSERT_EQ(is_new, !model.contains(number));
      if (is_new) ++counts[vm];
      auto& flow = model[number];
      ASSERT_EQ(record->egress_bytes, flow.bytes);
      flow = {flow.bytes + action, now, vm};
      record->egress_bytes = flow.bytes;
    }
    ASSERT_EQ(table.size(), model.size());
    ASSERT_EQ(table.count(vm), counts[vm]);
  }
  EXPECT_EQ(table.full(), refused);
  EXPECT_GT(refused, 0u);
  std::uint32_t live = 0;
  table.scan(0, kConfig.capacity, [&](const FlowRecord& record) {
    ++live;
    EXPECT_EQ(model.at(record.key.local_port).bytes, record.egress_bytes);
  });
  EXPECT_EQ(live, model.size());
}

}  // namespace
}  // namespace foreflow::flow
