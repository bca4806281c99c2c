// SPDX-License-Identifier: Apache-2.0
// A host's policing in packet time: VMs of several workers on one uplink, all greedy, and one whose guarantee is idle
// until it is needed. Test and benchmark of borrowing run the same steps.
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "dataplane/police/police.h"

namespace foreflow::test {

struct BorrowingScene {
  std::size_t vms = 64;
  std::size_t workers = 1;
  BytesPerSecond capacity{1'250'000'000};  // 10 Gbit/s
  BytesPerSecond guarantee{625'000'000};   // of VM 0
  std::uint64_t poll_ns = 5'000;           // each worker polls that often, at a phase of its own
  std::uint32_t frame = 1'500;
};

class Borrowing {
 public:
  explicit Borrowing(const BorrowingScene& scene, std::uint64_t seed = 1)
      : scene_(scene), lending_(scene.workers), random_(seed) {
    uplink_.set_capacity(scene.capacity);
    for (std::size_t worker = 0; worker < scene.workers; ++worker) {
      lenders_.push_back(std::make_unique<meter::Lender>(lending_, worker, scene.vms));
      polled_ns_.push_back(kStart + random_() % scene.poll_ns);
    }
    for (std::size_t i = 0; i < scene.vms; ++i) {
      auto& vm = vms_.emplace_back();
      const BytesPerSecond cir = i == 0 ? scene.guarantee : BytesPerSecond{0};
      // The guarantee's bucket holds 100 us: the step is to the guaranteed rate, not to a burst above it.
      vm.meter.configure({cir, scene.capacity, {cir.value / 10'000 + 2 * scene.frame}, {scene.capacity.value / 10}},
                         kStart);
    }
  }

  // What one VM passed in one poll of its worker.
  struct Passed {
    std::uint64_t time_ns;
    std::uint64_t bytes;
  };

  void set_weight(std::size_t vm, std::uint32_t weight) { vms_[vm].borrower.set_weight(weight); }
  // Bytes per second that a VM offers from now on.
  void offer(std::size_t vm, BytesPerSecond rate) { vms_[vm].rate = rate; }

  // Polls until `until_ns`. What borrowers pass is appended to `borrowed`.
  void run(std::uint64_t until_ns, std::vector<Passed>* borrowed = nullptr) {
    while (true) {
      const auto next = std::min_element(polled_ns_.begin(), polled_ns_.end());
      if (*next > until_ns) return;
      poll(static_cast<std::size_t>(next - polled_ns_.begin()), *next, borrowed);
      *next += scene_.poll_ns;
    }
  }

  std::uint64_t passed(std::size_t vm) const { return vms_[vm].passed; }
  std::uint64_t refused(std::size_t vm) const { return vms_[vm].refused; }
  static constexpr std::uint64_t kStart = 1'000'000'000;

 private:
  struct Vm {
    meter::TwoRateMeter meter;
    meter::Borrower borrower;
    BytesPerSecond rate{0};
    std::uint64_t owed = 0;  // offered and not yet a whole frame, in byte-nanoseconds per second
    std::uint64_t passed = 0;
    std::uint64_t refused = 0;
  };

  void poll(std::size_t worker, std::uint64_t now_ns, std::vector<Passed>* borrowed) {
    lenders_[worker]->turn(scene_.capacity, now_ns);
    police::Uplink uplink(&uplink_, lenders_[worker].get());
    for (auto i = worker; i < vms_.size(); i += scene_.workers) {
      auto& vm = vms_[i];
      vm.owed += vm.rate.value * scene_.poll_ns;
      const auto frames = std::min<std::uint64_t>(vm.owed / (scene_.frame * kNanosPerSecond), kMostFrames);
      vm.owed -= frames * scene_.frame * kNanosPerSecond;
      if (frames == 0) continue;
      const police::Limits limits{.meter = &vm.meter, .uplink = &uplink, .borrower = &vm.borrower};
      std::uint64_t bytes = 0;
      for (std::uint64_t frame = 0; frame < frames; ++frame)
        (police::admit(limits, Bytes{scene_.frame}, true, now_ns) ? bytes : vm.refused) += scene_.frame;
      vm.passed += bytes;
      if (borrowed != nullptr && i != 0 && bytes != 0) borrowed->push_back({now_ns, bytes});
    }
    uplink.settle(now_ns);
  }

  static constexpr std::size_t kMostFrames = 32;
  BorrowingScene scene_;
  meter::Residual uplink_;
  meter::Lending lending_;
  std::vector<std::unique_ptr<meter::Lender>> lenders_;
  std::vector<std::uint64_t> polled_ns_;
  std::deque<Vm> vms_;
  std::mt19937_64 random_;
};

// One step of the guaranteed VM from nothing to its guarantee.
struct Step {
  std::uint64_t lost_bytes = 0;  // of the guaranteed VM
  // Packet time from the step until every later window of kWindowNs has at most (capacity - guarantee) * 1.01 borrowed.
  std::uint64_t settled_ns = 0;
};
inline constexpr std::uint64_t kWindowNs = 5'000'000;

inline Step take_step(const BorrowingScene& scene, std::uint64_t seed) {
  Borrowing host(scene, seed);
  std::mt19937_64 random(seed);
  for (std::size_t i = 1; i < scene.vms; ++i)
    host.offer(i, {scene.capacity.value / (scene.vms / 4) + random() % (scene.capacity.value / scene.vms)});
  const auto step_ns = Borrowing::kStart + 10'000'000 + random() % 1'000'000;
  host.run(step_ns);
  host.offer(0, scene.guarantee);
  std::vector<Borrowing::Passed> borrowed;
  host.run(step_ns + 4 * kWindowNs, &borrowed);

  const auto most = (scene.capacity.value - scene.guarantee.value) / 100 * 101 * kWindowNs / kNanosPerSecond;
  Step step{.lost_bytes = host.refused(0)};
  std::uint64_t sum = 0;
  std::size_t first = 0;
  for (std::size_t last = 0; last < borrowed.size(); ++last) {
    sum += borrowed[last].bytes;
    while (borrowed[first].time_ns + kWindowNs <= borrowed[last].time_ns) sum -= borrowed[first++].bytes;
    if (sum > most) step.settled_ns = borrowed[first].time_ns - step_ns;
  }
  return step;
}

}  // namespace foreflow::test
