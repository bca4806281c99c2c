// SPDX-License-Identifier: Apache-2.0
// The allocator on a large fleet: 10,000 VMs that cross 3 of 1,000 links each, most links contended; and its
// certificate on 100,000 random problems with guarantees, tiers, zero weights and equal levels.
#include "host/allocate/allocate.h"

#include <cstdint>

#include <fmt/core.h>

#include "host/allocate/certificate.h"
#include "tests/bench/figures.h"
#include "tests/unit/host/allocate_problems.h"

namespace foreflow {
namespace {

constexpr std::uint32_t kVms = 10'000;
constexpr std::uint32_t kLinks = 1'000;
constexpr std::size_t kLinksPerVm = 3;
constexpr std::size_t kRounds = 41;
constexpr int kProblems = 100'000;

// Wants of 1 to 1,000 Mbit/s on links of 10 Gbit/s that 30 VMs share on average: about two links of three fill up.
allocate::Problem large_fleet() {
  std::mt19937_64 random(1);
  allocate::Problem problem;
  for (std::uint32_t i = 0; i < kLinks; ++i) problem.links.push_back({BytesPerSecond{1'250'000'000}, {}});
  for (std::uint32_t i = 0; i < kVms; ++i) {
    allocate::Claim claim{.vm = {i}};
    claim.tier = static_cast<std::uint8_t>(random() % 3);
    claim.weight = 1 + static_cast<std::uint32_t>(random() % 8);
    claim.guarantee.value = random() % 10'000'000;
    claim.want.value = 125'000 + random() % 125'000'000;
    claim.peak.value = 2 * claim.want.value;
    while (claim.links.size() < kLinksPerVm)
      if (const auto link = static_cast<std::uint32_t>(random() % kLinks); !std::ranges::count(claim.links, link))
        claim.links.push_back(link);
    problem.claims.push_back(std::move(claim));
  }
  return problem;
}

// A fixed bar as the peer: the figure is a time on one core, in ms.
bench::Figure against(const char* name, double bar_ms, const std::function<void()>& round) {
  const auto timing = bench::duel(kRounds, 1'000'000, round, [] {}).subject;
  return {name, timing.median, "ms", "fixed", bar_ms, 1.0, timing.spread};
}

int certificate_failures() {
  allocate::testing::Random random(20'261'125);
  int failures = 0;
  for (int i = 0; i < kProblems; ++i) {
    const auto problem = allocate::testing::random_problem(random);
    const auto shares = allocate::allocate(problem);
    const auto proof = shares ? allocate::certify(problem, *shares) : tl::unexpected(shares.error());
    if (proof) continue;
    fmt::print(stderr, "problem {}: {}\n", i, proof.error().message);
    ++failures;
  }
  return failures;
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  const auto problem = large_fleet();
  const auto shares = allocate::allocate(problem);
  if (!shares) {
    fmt::print(stderr, "bench: {}\n", shares.error().message);
    return 2;
  }
  const auto contended = std::ranges::count(*shares, allocate::Binding::kLink, &allocate::Share::binding);
  fmt::print("{} of {} VMs are stopped by a link\n", contended, kVms);
  const int failures = certificate_failures();
  fmt::print("{} certificate failures in {} random problems\n", failures, kProblems);
  const int status = bench::report(
      argc, argv,
      {against("allocate 10,000 VMs, 3 of 1,000 links each", 5, [&] { bench::keep(allocate::allocate(problem)); }),
       against("certify the same", 5, [&] { bench::keep(allocate::certify(problem, *shares)); })});
  return failures == 0 ? status : 1;
}
