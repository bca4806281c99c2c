// SPDX-License-Identifier: Apache-2.0
// What is decided and how it is written down do not depend on platform, compiler or optimization: the same rounds have
// the same digests in every build that runs this test.
#include <string>

#include <gtest/gtest.h>

#include "common/sha256.h"
#include "host/audit/codec.h"
#include "host/audit/entry.h"
#include "tests/support/audit_rounds.h"

namespace foreflow::audit {
namespace {

constexpr std::uint32_t kVms = 50;
constexpr int kRounds = 2'000;

// Whoever changes what the allocator decides or how a record is encoded changes these, and knows that logs of before
// are solved differently.
constexpr const char* kDecisions = "75a9d0cf73e6438d0eed8f8ff2b901ac00438972c9f069ff879aa97f228d8913";
constexpr const char* kRecords = "e8fe63849d870eed51ca034b0bfec90b1bcab6a73641977dbddbc84b829c4aa6";

TEST(AuditEverywhere, TheSameRoundsHaveTheSameDigestsInEveryBuild) {
  test::AuditRounds rounds(kVms);
  Encoder encoder;
  std::string decisions;
  std::string records;
  for (int i = 0; i < kRounds; ++i) {
    const auto& round = rounds.next();
    const auto solved = allocate::solve(round);
    ASSERT_TRUE(solved) << solved.error().message;
    const Digest digest = digest_of(solved->outcomes);
    decisions.append(digest.begin(), digest.end());
    Record record{round.now, 1, {{"dpu0", Subject::kEgress, round, {}, digest}}};
    record.entries[0].notes.assign(kVms, {"seasonal", true});
    const Sha256 written = sha256(encoder.encode(record, {solved->outcomes}));
    records.append(written.begin(), written.end());
    rounds.install(*solved);
  }
  EXPECT_EQ(to_hex(sha256(decisions)), kDecisions);
  EXPECT_EQ(to_hex(sha256(records)), kRecords);
}

}  // namespace
}  // namespace foreflow::audit
