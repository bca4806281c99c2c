// SPDX-License-Identifier: Apache-2.0
// Random allocation problems of every awkward kind, and the certificate that a solution is the max-min one.
// Place: tests/unit/host, for the allocator's property tests.
#pragma once
#include <algorithm>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "host/allocate/admission.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate::testing {

using Random = std::mt19937_64;

inline std::uint64_t below(Random& random, std::uint64_t bound) { return bound == 0 ? 0 : random() % bound; }

inline std::vector<LinkIndex> some_links(Random& random, std::size_t count) {
  std::vector<LinkIndex> links(count);
  for (LinkIndex i = 0; i < count; ++i) links[i] = i;
  std::shuffle(links.begin(), links.end(), random);
  links.resize(below(random, std::min<std::size_t>(count, 3) + 1));
  return links;
}

// Feasible by construction: a guarantee is taken from what is left of every link that the claim crosses.
inline Problem random_problem(Random& random) {
  Problem problem;
  problem.lending = below(random, 2) == 0;
  const std::uint64_t scale = std::uint64_t{1} << (4 + below(random, 40));
  for (std::size_t i = 1 + below(random, 5); i > 0; --i) {
    const bool unlimited = below(random, 12) == 0;
    problem.links.push_back({unlimited ? kUnlimited : BytesPerSecond{below(random, scale)}, {}});
  }
  std::vector<std::uint64_t> left;
  for (const Link& link : problem.links) left.push_back(promisable(link).value);
  const std::size_t claims = below(random, 24);
  for (std::uint32_t i = 0; i < claims; ++i) {
    Claim claim{.vm = {i}};
    claim.tier = static_cast<std::uint8_t>(below(random, 3));
    claim.weight =
        static_cast<std::uint32_t>(below(random, 4) == 0 ? below(random, kMostWeight + 1) : below(random, 6));
    claim.links = some_links(random, problem.links.size());
    std::uint64_t most = scale / 2;
    for (const LinkIndex link : claim.links) most = std::min(most, left[link]);
    claim.guarantee.value = below(random, 3) == 0 ? 0 : below(random, most / (1 + below(random, 8)) + 1);
    for (const LinkIndex link : claim.links) left[link] -= claim.guarantee.value;
    if (below(random, 2) == 0) claim.cap.value = claim.guarantee.value + below(random, scale);
    claim.want = below(random, 10) == 0 ? kUnlimited : BytesPerSecond{below(random, scale)};
    claim.peak.value = below(random, 2 * scale);
    problem.claims.push_back(claim);
  }
  return problem;
}

// One claim as the certificate sees it.
struct Bounded {
  std::uint64_t value, lower, upper;
  std::uint32_t weight;
  std::uint8_t tier;
  std::span<const LinkIndex> links;
};

// Whether `link`, whose load is `load`, stops claim i: full to the unit per claim that rounding may leave, nobody of
// the same tier above i's level other than at his lower bound, nobody of a later tier above his lower bound.
inline bool stops(std::span<const Bounded> claims, std::size_t i, LinkIndex link, std::uint64_t load,
                  std::uint64_t capacity) {
  using Wide = unsigned __int128;
  std::uint64_t crossing = 0;
  for (const Bounded& other : claims) {
    if (std::ranges::find(other.links, link) == other.links.end()) continue;
    ++crossing;
    if (other.value == other.lower) continue;
    if (other.tier > claims[i].tier) return false;
    if (other.tier == claims[i].tier &&
        Wide{other.value} * claims[i].weight >= (Wide{claims[i].value} + 1) * other.weight)
      return false;
  }
  return load <= capacity && capacity - load < crossing;
}

// Empty when no link carries more than its capacity.
inline std::string overload(const Problem& problem, std::span<const std::uint64_t> used,
                            std::span<const BytesPerSecond> capacities) {
  std::vector<unsigned __int128> loads(capacities.size());
  for (std::size_t i = 0; i < used.size(); ++i)
    for (const LinkIndex link : problem.claims[i].links) loads[link] += used[i];
  for (std::size_t link = 0; link < loads.size(); ++link)
    if (capacities[link] != kUnlimited && loads[link] > capacities[link].value)
      return fmt::format("link {} is overloaded", link);
  return {};
}

// Empty when every claim has its upper bound or is stopped by a link; else who has too little. `used` is the load that
// a claim puts on its links (its CIR where the value is a grant).
inline std::string max_min_violation(std::span<const Bounded> claims, std::span<const std::uint64_t> used,
                                     std::span<const BytesPerSecond> capacities) {
  std::vector<std::uint64_t> loads(capacities.size());
  for (std::size_t i = 0; i < claims.size(); ++i)
    for (const LinkIndex link : claims[i].links) loads[link] += used[i];
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (claims[i].value >= claims[i].upper || claims[i].weight == 0) continue;
    const bool stopped = std::ranges::any_of(claims[i].links, [&](LinkIndex link) {
      return capacities[link] != kUnlimited && stops(claims, i, link, loads[link], capacities[link].value);
    });
    if (!stopped) return fmt::format("claim {} has {} of {} and no link stops it", i, claims[i].value, claims[i].upper);
  }
  return {};
}

// The whole promise of allocate(), checked by its plain definition.
inline std::string violation(const Problem& problem, const std::vector<Share>& shares) {
  std::vector<Bounded> grants, spare;
  std::vector<std::uint64_t> cirs, pirs;
  std::vector<BytesPerSecond> promisables, capacities;
  for (const Link& link : problem.links) {
    promisables.push_back(promisable(link));
    capacities.push_back(link.capacity);
  }
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Claim& claim = problem.claims[i];
    const Share& share = shares[i];
    const BytesPerSecond upper = std::min(claim.want, claim.cap);
    const BytesPerSecond lower = std::min(claim.guarantee, claim.want);
    if (share.grant < lower || share.grant > upper || share.cir != std::max(claim.guarantee, share.grant) ||
        share.pir < share.cir || share.pir > claim.cap)
      return fmt::format("claim {} is out of its bounds", i);
    grants.push_back({share.grant.value, lower.value, upper.value, claim.weight, claim.tier, claim.links});
    spare.push_back({share.pir.value, share.cir.value, claim.cap.value, claim.weight, 0, claim.links});
    cirs.push_back(share.cir.value);
    pirs.push_back(share.pir.value);
  }
  std::string found = overload(problem, cirs, promisables);
  if (found.empty()) found = max_min_violation(grants, cirs, promisables);
  if (!found.empty() || problem.lending) return found;
  found = overload(problem, pirs, capacities);
  return found.empty() ? max_min_violation(spare, pirs, capacities) : found;
}

}  // namespace foreflow::allocate::testing
