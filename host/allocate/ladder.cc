// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/ladder.h"

#include <cstddef>
#include <utility>

#include <fmt/format.h>

#include "host/allocate/certificate.h"

namespace foreflow::allocate {

Result<std::vector<Share>> allocate_ladder(Problem problem, std::span<const std::vector<BytesPerSecond>> rungs) {
  if (rungs.empty()) return fail(ErrorCode::kInvalidArgument, "a ladder of wants needs at least one rung");
  std::vector<Share> shares;
  for (std::size_t r = 0; r < rungs.size(); ++r) {
    if (rungs[r].size() != problem.claims.size())
      return fail(ErrorCode::kInvalidArgument, fmt::format("rung {} has {} wants for {} claims; one each is needed", r,
                                                           rungs[r].size(), problem.claims.size()));
    for (std::size_t i = 0; i < problem.claims.size(); ++i) {
      problem.claims[i].want = rungs[r][i];
      if (r > 0) problem.claims[i].guarantee = shares[i].cir;
    }
    auto solved = allocate(problem);
    if (!solved) return solved;
    if (Status proof = certify(problem, *solved); !proof) return tl::unexpected(std::move(proof.error()));
    shares = std::move(*solved);
  }
  return shares;
}

}  // namespace foreflow::allocate
