// SPDX-License-Identifier: Apache-2.0
// Solves the audit benchmark's rounds of some days (argument 1, else 1) and prints a digest of all that was decided:
// builds that print the same decide alike. scripts/bench digests compares compilers, optimizations and platforms.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <fmt/core.h>

#include "common/sha256.h"
#include "host/audit/entry.h"
#include "tests/support/audit_rounds.h"

int main(int argc, char** argv) {
  using namespace foreflow;
  const long days = argc > 1 ? std::atol(argv[1]) : 1;
  test::AuditRounds rounds(50);
  std::string digests;
  for (long i = 0; i < days * 8'640; ++i) {
    const auto solved = allocate::solve(rounds.next());
    if (!solved) {
      fmt::print(stderr, "bench: {}\n", solved.error().message);
      return 2;
    }
    const auto digest = audit::digest_of(solved->outcomes);
    digests.append(digest.begin(), digest.end());
    rounds.install(*solved);
  }
  fmt::print("{}\n", to_hex(sha256(digests)));
  return 0;
}
