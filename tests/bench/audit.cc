// SPDX-License-Identifier: Apache-2.0
// Seven days of rounds, one every 10 s, written to the audit and solved again: do all come out the same, and what does
// a day of 1,000 VMs weigh?
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include <fmt/core.h>
#include <unistd.h>

#include "common/sha256.h"
#include "host/audit/log.h"
#include "host/audit/reader.h"
#include "tests/bench/figures.h"
#include "tests/support/audit_rounds.h"

namespace foreflow {
namespace {

constexpr std::uint32_t kVms = 50;
constexpr int kDays = 7;
constexpr int kRounds = kDays * 8'640;

// Returns a digest of all that was decided.
Result<Sha256> write(const std::filesystem::path& folder) {
  auto log = audit::Log::open(folder, {});
  if (!log) return tl::unexpected(log.error());
  test::AuditRounds rounds(kVms);
  std::string digests;
  for (int i = 0; i < kRounds; ++i) {
    const auto& round = rounds.next();
    const auto solved = allocate::solve(round);
    if (!solved) return tl::unexpected(solved.error());
    audit::Record record{
        round.now, 1, {{"dpu0", audit::Subject::kEgress, round, {}, audit::digest_of(solved->outcomes)}}};
    record.entries[0].notes.assign(kVms, {"seasonal", true});
    if (auto kept = log->append(record, {solved->outcomes}); !kept) return tl::unexpected(kept.error());
    digests.append(reinterpret_cast<const char*>(record.entries[0].digest.data()), record.entries[0].digest.size());
    rounds.install(*solved);
  }
  return sha256(digests);
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
  fmt::print("digest of all decisions {}\n", to_hex(*written));
  fmt::print("{} rounds, {} decisions solved again, {} differ; chain {}\n", report->records, report->decisions,
             report->differing, report->fault.empty() ? "whole" : report->fault);
  const int status = bench::report(argc, argv, {{"audit of a day, 1,000 VMs", day, "MB", "fixed", 50, 1.0, 0}});
  const bool same = report->differing == 0 && report->fault.empty() && report->records == kRounds;
  return same ? status : 1;
}
