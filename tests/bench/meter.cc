// SPDX-License-Identifier: Apache-2.0
// The meters of the packet path against DPDK's rte_meter: bursts of 32 packets of mixed sizes, one time stamp per
// burst, half of the traffic over the limit.
#include <array>
#include <cstdio>

#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_meter.h>

#include "common/meter/two_rate.h"
#include "tests/bench/figures.h"

namespace foreflow {
namespace {

constexpr std::size_t kBurst = 32;
constexpr std::size_t kBursts = 20'000;
constexpr std::size_t kRounds = 41;
constexpr std::uint64_t kRate = 125'000'000;  // bytes/s
constexpr std::uint64_t kBurstSize = 256'000;

// 7:4:1 of 64, 594 and 1518 bytes, as in the usual internet mix.
constexpr std::array<std::uint32_t, kBurst> sizes() {
  constexpr std::array<std::uint32_t, 12> kMix{64, 64, 594, 64, 64, 594, 64, 1518, 64, 594, 64, 594};
  std::array<std::uint32_t, kBurst> all{};
  for (std::size_t i = 0; i < kBurst; ++i) all[i] = kMix[i % kMix.size()];
  return all;
}
constexpr auto kSizes = sizes();

constexpr std::uint64_t bytes_per_burst() {
  std::uint64_t sum = 0;
  for (auto size : kSizes) sum += size;
  return sum;
}
// Time between bursts at twice the metered rate.
constexpr std::uint64_t kStepNs = bytes_per_burst() * kNanosPerSecond / (2 * kRate);

class OneRate {
 public:
  void run() {
    std::uint64_t passed = 0;
    for (std::size_t b = 0; b < kBursts; ++b) {
      bucket_.refill(now_ns_ += kStepNs);
      for (auto size : kSizes) passed += bucket_.take(Bytes{size});
    }
    bench::keep(passed);
  }

 private:
  meter::TokenBucket bucket_{BytesPerSecond{kRate}, Bytes{kBurstSize}};
  std::uint64_t now_ns_ = 0;
};

class TwoRates {
 public:
  TwoRates() {
    meter_.configure({BytesPerSecond{kRate / 2}, BytesPerSecond{kRate}, Bytes{kBurstSize}, Bytes{kBurstSize}}, 0);
  }
  void run() {
    std::uint64_t passed = 0;
    for (std::size_t b = 0; b < kBursts; ++b) {
      meter_.refill(now_ns_ += kStepNs);
      for (auto size : kSizes) {
        const auto colour = meter_.colour(Bytes{size});
        if (colour == meter::Colour::kRed) continue;
        meter_.pay(Bytes{size}, colour);
        ++passed;
      }
    }
    bench::keep(passed);
  }

 private:
  meter::TwoRateMeter meter_;
  std::uint64_t now_ns_ = 0;
};

// DPDK's meters take TSC cycles.
class Srtcm {
 public:
  Srtcm() {
    rte_meter_srtcm_params parameters{kRate, kBurstSize, 0};
    rte_meter_srtcm_profile_config(&profile_, &parameters);
    rte_meter_srtcm_config(&meter_, &profile_);
  }
  void run() {
    std::uint64_t passed = 0;
    for (std::size_t b = 0; b < kBursts; ++b) {
      now_ += step_;
      for (auto size : kSizes)
        passed += rte_meter_srtcm_color_blind_check(&meter_, &profile_, now_, size) != RTE_COLOR_RED;
    }
    bench::keep(passed);
  }

 private:
  rte_meter_srtcm_profile profile_{};
  rte_meter_srtcm meter_{};
  std::uint64_t step_ = kStepNs * rte_get_tsc_hz() / kNanosPerSecond;
  std::uint64_t now_ = rte_rdtsc();
};

class Trtcm {
 public:
  Trtcm() {
    rte_meter_trtcm_params parameters{kRate / 2, kRate, kBurstSize, kBurstSize};
    rte_meter_trtcm_profile_config(&profile_, &parameters);
    rte_meter_trtcm_config(&meter_, &profile_);
  }
  void run() {
    std::uint64_t passed = 0;
    for (std::size_t b = 0; b < kBursts; ++b) {
      now_ += step_;
      for (auto size : kSizes)
        passed += rte_meter_trtcm_color_blind_check(&meter_, &profile_, now_, size) != RTE_COLOR_RED;
    }
    bench::keep(passed);
  }

 private:
  rte_meter_trtcm_profile profile_{};
  rte_meter_trtcm meter_{};
  std::uint64_t step_ = kStepNs * rte_get_tsc_hz() / kNanosPerSecond;
  std::uint64_t now_ = rte_rdtsc();
};

template <typename Ours, typename Theirs>
bench::Figure compare(const char* name, const char* peer_name) {
  Ours ours;
  Theirs theirs;
  const auto result = bench::duel(
      kRounds, kBursts * kBurst, [&] { ours.run(); }, [&] { theirs.run(); });
  return {name, result.subject.median, "ns/packet", peer_name, result.peer.median, 1.0, result.subject.spread};
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  char program[] = "bench", no_huge[] = "--no-huge", memory[] = "-m64", no_pci[] = "--no-pci",
       no_telemetry[] = "--no-telemetry", no_shared[] = "--no-shconf", level[] = "--log-level=error";
  std::array arguments{program, no_huge, memory, no_pci, no_telemetry, no_shared, level};
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    std::fputs("bench: EAL did not start; it says why above\n", stderr);
    return 2;
  }
  using namespace foreflow;
  return bench::report(argc, argv,
                       {compare<OneRate, Srtcm>("one-rate meter", "rte_meter srTCM"),
                        compare<TwoRates, Trtcm>("two-rate meter", "rte_meter trTCM")});
}
