// SPDX-License-Identifier: Apache-2.0
// A made-up fleet whose forecasts wander, round after round: the same rounds on every platform, for the audit's
// benchmark and for the test that all builds decide alike.
#pragma once
#include <cstdint>
#include <random>

#include "host/allocate/round.h"

namespace foreflow::test {

inline constexpr std::int64_t kRoundNs = 10 * static_cast<std::int64_t>(kNanosPerSecond);

class AuditRounds {
 public:
  explicit AuditRounds(std::uint32_t vms) {
    round_ = {.capacity = {1'250'000'000}, .link = "dpu0 egress", .pools = {{"a", {50'000'000}, {600'000'000}}}};
    for (std::uint32_t vm = 1; vm <= vms; ++vm)
      round_.members.push_back({.vm = VmId{vm},
                                .tier = static_cast<std::uint8_t>(vm % 3),
                                .weight = 1 + vm % 4,
                                .pool = vm % 5 == 0 ? 1u : 0u,
                                .guarantee = {vm % 4 == 0 ? 5'000'000u : 0u},
                                .hold_ns = 7'200 * kNanosPerSecond});
  }

  // The next round. Each VM's forecast changes once in kPerForecast of them; some are limited, some are not believed.
  const allocate::Round& next() {
    round_.now = {kStart + count_++ * kRoundNs};
    for (auto& member : round_.members)
      if (random_() % kPerForecast == 0) {
        member.demand = {1'000'000 + random_() % 60'000'000};
        member.peak = {2 * member.demand.value};
        member.limited = random_() % 10 == 0;
        member.known = random_() % 50 != 0;
      }
    return round_;
  }

  // What the round came to: where the next one begins.
  void install(const allocate::Solved& solved) {
    for (std::size_t m = 0; m < round_.members.size(); ++m) {
      round_.members[m].previous = solved.outcomes[m].state;
      round_.members[m].installed = solved.outcomes[m].share.pir;
    }
  }

 private:
  static constexpr int kPerForecast = 30;  // a forecast changes every 5 minutes
  static constexpr std::int64_t kStart = 1'800'000'000'000'000'000;
  allocate::Round round_;
  std::mt19937_64 random_{7};
  std::int64_t count_ = 0;
};

}  // namespace foreflow::test
