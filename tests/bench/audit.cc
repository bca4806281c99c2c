// SPDX-License-Identifier: Apache-2.0
// Seven days of rounds, one every 10 s, written to the audit and solved again: do all come out the same, and what does
// a day of 1,000 VMs weigh?
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>

#include <fmt/core.h>
#include <unistd.h>

#include "host/audit/log.h"
#include "host/audit/reader.h"
#include "tests/bench/figures.h"

namespace foreflow {
namespace {

constexpr std::uint32_t kVms = 50;
constexpr int kDays = 7;
constexpr std::int64_t kCycle = 10 * static_cast<std::int64_t>(kNanosPerSecond);
constexpr int kCycles = kDays * 8'640;
constexpr int kPerForecast = 30;  // cycles: a forecast changes every 5 minutes
constexpr std::int64_t kStart = 1'800'000'000'000'000'000;

allocate::Round fleet() {
  allocate::Round round{
      .capacity = {1'250'000'000}, .link = "dpu0 egress", .pools = {{"a", {50'000'000}, {600'000'000}}}};
  for (std::uint32_t vm = 1; vm <= kVms; ++vm)
    round.members.push_back({.vm = VmId{vm},
                             .tier = static_cast<std::uint8_t>(vm % 3),
                             .weight = 1 + vm % 4,
                             .pool = vm % 5 == 0 ? 1u : 0u,
                             .guarantee = {vm % 4 == 0 ? 5'000'000u : 0u},
                             .hold_ns = 7'200 * kNanosPerSecond});
  return round;
}

// Each VM's forecast changes once in kPerForecast cycles; some are limited, some are not believed.
void wander(allocate::Round& round, std::mt19937_64& random) {
  for (auto& member : round.members)
    if (random() % kPerForecast == 0) {
      member.demand = {1'000'000 + random() % 60'000'000};
      member.peak = {2 * member.demand.value};
      member.limited = random() % 10 == 0;
      member.known = random() % 50 != 0;
    }
}

Status write(const std::filesystem::path& folder) {
  auto log = audit::Log::open(folder, {});
  if (!log) return tl::unexpected(log.error());
  std::mt19937_64 random(7);
  auto round = fleet();
  for (int i = 0; i < kCycles; ++i) {
    round.now = {kStart + i * kCycle};
    wander(round, random);
    const auto solved = allocate::solve(round);
    if (!solved) return tl::unexpected(solved.error());
    audit::Record record{round.now, 1, {{"dpu0", Direction::kEgress, round, {}, audit::digest_of(solved->outcomes)}}};
    record.entries[0].notes.assign(kVms, {"seasonal", true});
    if (auto kept = log->append(record, {solved->outcomes}); !kept) return kept;
    for (std::size_t m = 0; m < round.members.size(); ++m) {
      round.members[m].previous = solved->outcomes[m].state;
      round.members[m].installed = solved->outcomes[m].share.pir;
    }
  }
  return {};
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  const auto folder = std::filesystem::temp_directory_path() / fmt::format("foreflow-bench-audit-{}", getpid());
  const auto written = write(folder);
  const auto report = written ? audit::replay(folder, {}) : tl::unexpected(written.error());
  std::filesystem::remove_all(folder);
  if (!report) {
    fmt::print(stderr, "bench: {}\n", report.error().message);
    return 2;
  }
  // Both directions, 1,000 VMs.
  const double day = static_cast<double>(report->bytes) / kDays * 2 * 1'000 / kVms / 1e6;
  fmt::print("{} rounds, {} decisions solved again, {} differ; chain {}\n", report->records, report->decisions,
             report->differing, report->fault.empty() ? "whole" : report->fault);
  const int status = bench::report(argc, argv, {{"audit of a day, 1,000 VMs", day, "MB", "fixed", 50, 1.0, 0}});
  const bool same = report->differing == 0 && report->fault.empty() && report->records == kCycles;
  return same ? status : 1;
}
