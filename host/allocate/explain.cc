// SPDX-License-Identifier: Apache-2.0
#include <cassert>
#include <cstddef>

#include <fmt/format.h>

#include "host/allocate/admission.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate {
namespace {

std::string explain_link(const Problem& problem, LinkIndex link, BytesPerSecond guarantees, AmountText text) {
  return fmt::format("limited by {} ({} to promise, {} of guarantees)", link_name(problem, link),
                     text(promisable(problem.links[link])), text(guarantees));
}

std::string explain_want(const Claim& claim, AmountText text) {
  if (claim.want >= claim.guarantee) return "all it wants";
  return fmt::format("all it wants ({}, less than its guarantee)", text(claim.want));
}

}  // namespace

std::vector<std::string> explain(const Problem& problem, const std::vector<Share>& shares, AmountText text) {
  assert(shares.size() == problem.claims.size());
  std::vector<BytesPerSecond> guarantees(problem.links.size());
  for (const Claim& claim : problem.claims)
    for (const LinkIndex link : claim.links) guarantees[link].value += claim.guarantee.value;
  std::vector<std::string> lines;
  lines.reserve(shares.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Claim& claim = problem.claims[i];
    switch (shares[i].binding) {
      case Binding::kWant:
        lines.push_back(explain_want(claim, text));
        break;
      case Binding::kCap:
        lines.push_back(fmt::format("its cap of {}", text(claim.cap)));
        break;
      case Binding::kLink:
        lines.push_back(explain_link(problem, shares[i].link, guarantees[shares[i].link], text));
        break;
      case Binding::kGuaranteeOnly:
        lines.push_back(fmt::format("its guarantee of {} and no more (weight 0)", text(claim.guarantee)));
        break;
    }
  }
  return lines;
}

}  // namespace foreflow::allocate
