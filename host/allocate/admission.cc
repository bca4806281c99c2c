// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/admission.h"

#include <cstddef>
#include <vector>

#include <fmt/format.h>

namespace foreflow::allocate {
namespace {

using Wide = unsigned __int128;

// `seen` holds, per link, 1 + the index of the last claim that named it.
Status check_links(const Problem& problem, std::size_t index, std::vector<std::size_t>& seen) {
  const Claim& claim = problem.claims[index];
  for (const LinkIndex link : claim.links) {
    if (link >= problem.links.size())
      return fail(ErrorCode::kInvalidArgument, fmt::format("vm {}: there is no link {}; the problem has {}",
                                                           claim.vm.value, link, problem.links.size()));
    if (seen[link] == index + 1)
      return fail(ErrorCode::kInvalidArgument,
                  fmt::format("vm {}: names {} twice", claim.vm.value, link_name(problem, link)));
    seen[link] = index + 1;
  }
  return {};
}

Status check_claim(const Claim& claim) {
  if (claim.cap < claim.guarantee)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("vm {}: the cap of {} is below the guarantee of {}", claim.vm.value, format_rate(claim.cap),
                            format_rate(claim.guarantee)));
  if (claim.weight > kMostWeight)
    return fail(ErrorCode::kInvalidArgument, fmt::format("vm {}: weight {} is out of range; it must be 0 to {}",
                                                         claim.vm.value, claim.weight, kMostWeight));
  return {};
}

Status check_guarantees(const Problem& problem) {
  std::vector<Wide> sums(problem.links.size());
  std::vector<const Claim*> largest(problem.links.size());
  for (const Claim& claim : problem.claims)
    for (const LinkIndex link : claim.links) {
      sums[link] += claim.guarantee.value;
      if (largest[link] == nullptr || claim.guarantee > largest[link]->guarantee) largest[link] = &claim;
    }
  for (LinkIndex link = 0; link < problem.links.size(); ++link) {
    const BytesPerSecond most = promisable(problem.links[link]);
    if (most == kUnlimited || sums[link] <= most.value) continue;
    const auto sum = sums[link] < kUnlimited.value ? static_cast<std::uint64_t>(sums[link]) : kUnlimited.value;
    return fail(
        ErrorCode::kInvalidArgument,
        fmt::format("{}: guarantees add up to {}, more than the {} that can be promised ({} % of {}); the largest "
                    "is {} of vm {}",
                    link_name(problem, link), format_rate({sum}), format_rate(most),
                    problem.links[link].promisable_percent, format_rate(problem.links[link].capacity),
                    format_rate(largest[link]->guarantee), largest[link]->vm.value));
  }
  return {};
}

}  // namespace

BytesPerSecond promisable(const Link& link) {
  if (link.capacity == kUnlimited) return kUnlimited;
  return {static_cast<std::uint64_t>(Wide{link.capacity.value} * link.promisable_percent / 100)};
}

std::string link_name(const Problem& problem, LinkIndex link) {
  const std::string& name = problem.links[link].name;
  return name.empty() ? fmt::format("link {}", link) : name;
}

Status admit(const Problem& problem) {
  std::vector<std::size_t> seen(problem.links.size());
  for (std::size_t i = 0; i < problem.claims.size(); ++i) {
    if (Status links = check_links(problem, i, seen); !links) return links;
    if (Status claim = check_claim(problem.claims[i]); !claim) return claim;
  }
  return check_guarantees(problem);
}

}  // namespace foreflow::allocate
