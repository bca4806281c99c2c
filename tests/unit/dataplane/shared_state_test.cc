// SPDX-License-Identifier: Apache-2.0
// What workers and the control thread share while both run. The figures that are guarded by it are plain variables, so
// that ThreadSanitizer sees a missing ordering, and their sums are exact, so that a lost one is seen without it.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/pipeline/timeline.h"
#include "dataplane/pipeline/top_flows.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint64_t kPacketGapNs = 20'000;

// A worker that replays one packet each kPacketGapNs, handles every other one itself and gives the rest to its
// neighbour.
class Replayer {
 public:
  Replayer(Timeline& timeline, std::uint16_t number, std::uint64_t packets)
      : timeline_(timeline), number_(number), packets_(packets) {}

  std::uint64_t handled = 0;  // read by control while time stands at a limit

  void run(Replayer& neighbour) {
    for (std::uint64_t sent = 0, taken = 0; !timeline_.finished();) {
      const auto now = timeline_.now();
      for (; sent < packets_ && due(sent) <= now; ++sent)
        if (sent % 2 == 0)
          ++handled;
        else
          neighbour.give(timeline_.handed_over(number_));
      for (; take(); ++taken) ++handled;
      timeline_.arrive(number_, {sent < packets_ ? due(sent) : kNever, taken});
      std::this_thread::yield();
    }
  }
  std::uint64_t due_until(std::uint64_t limit) const {
    return limit < due(0) ? 0 : std::min(packets_, (limit - due(0)) / kPacketGapNs + 1);
  }

 private:
  std::uint64_t due(std::uint64_t packet) const { return 1'000'000 + number_ * 7 + packet * kPacketGapNs; }
  void give(std::atomic<std::uint64_t>& handed_over) {
    handed_over.fetch_add(1, std::memory_order_release);
    const std::lock_guard lock(mutex_);
    ++ring_;
  }
  bool take() {
    const std::lock_guard lock(mutex_);
    if (ring_ == 0) return false;
    --ring_;
    return true;
  }

  Timeline& timeline_;
  std::uint16_t number_;
  std::uint64_t packets_;
  std::mutex mutex_;
  std::uint64_t ring_ = 0;
};

TEST(TimelineAcrossThreads, AtALimitExactlyThePacketsUpToItAreDealtWith) {
  constexpr std::uint64_t kPackets = 2'000;
  constexpr std::uint64_t kInterval = 5'000'000;
  Timeline timeline(2, 0, [] { return std::uint64_t{0}; });
  Replayer first(timeline, 0, kPackets), second(timeline, 1, kPackets);
  std::jthread one([&] { first.run(second); }), two([&] { second.run(first); });
  while (timeline.next_due() == 0) std::this_thread::yield();
  auto limit = timeline.next_due() + kInterval;
  timeline.start(timeline.next_due(), limit);
  while (!timeline.finished()) {
    if (!timeline.at_limit()) {
      std::this_thread::yield();
      continue;
    }
    EXPECT_EQ(first.handled + second.handled, first.due_until(limit) + second.due_until(limit)) << limit;
    limit += kInterval;
    timeline.raise_limit(limit);
  }
  one.join();
  two.join();
  EXPECT_EQ(first.handled + second.handled, 2 * kPackets);
}

TEST(TopFlowsAcrossThreads, EveryByteIsInOneListAndListsAreSorted) {
  constexpr std::uint32_t kFlows = 50;
  constexpr std::uint64_t kRounds = 3'000;
  flow::FlowTable flows({.capacity = 256});
  TopFlows top(flows);
  std::atomic<bool> done{false};
  std::jthread worker([&] {
    for (std::uint64_t round = 1; !done.load(std::memory_order_acquire); ++round) {
      for (std::uint32_t i = 0; round <= kRounds && i < kFlows; ++i) {
        const flow::FlowKey key{.local_port = static_cast<std::uint16_t>(i), .vm = 1, .protocol = net::kTcp};
        const auto found = flows.find_or_insert(key, round * 1'000'000);
        found.record->egress_bytes = found.record->egress_bytes + i + 1;
      }
      top.scan(round * 1'000'000);
    }
  });
  constexpr auto kAll = kRounds * kFlows * (kFlows + 1) / 2;
  std::uint64_t seen = 0;
  for (int empty = 0; seen < kAll && empty < 1'000;) {
    top.request();
    while (!top.ready()) std::this_thread::yield();
    const auto list = top.take();
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end(),
                               [](const auto& a, const auto& b) { return a.interval_bytes > b.interval_bytes; }));
    empty = list.empty() ? empty + 1 : 0;
    for (const auto& flow : list) seen += flow.interval_bytes;
  }
  done.store(true, std::memory_order_release);
  EXPECT_EQ(seen, kAll);
}

TEST(PeakAcrossThreads, NeverExceedsAWindowAndIsAnsweredAgainAndAgain) {
  constexpr std::uint64_t kPackets = 10;  // of 100 bytes in each window
  constexpr std::uint64_t kWindowNs = 10'000'000;
  vm::Offered offered;
  std::atomic<bool> done{false};
  std::uint64_t window = 1;
  std::jthread owner([&] {
    for (; !done.load(std::memory_order_acquire); ++window)
      for (std::uint64_t packet = 0; packet < kPackets; ++packet) offered.add(100, window * kWindowNs + packet);
  });
  for (int answered = 0; answered < 200;) {
    const auto taken = offered.take_peak_10ms();
    EXPECT_EQ(taken % 100, 0u);
    EXPECT_LE(taken, kPackets * 100);
    if (taken != 0) ++answered;
    std::this_thread::yield();
  }
  done.store(true, std::memory_order_release);
  owner.join();
  offered.take_peak_10ms();
  offered.add(700, window * kWindowNs);
  EXPECT_EQ(offered.take_peak_10ms(), 700u);
}

}  // namespace
}  // namespace foreflow::pipeline
