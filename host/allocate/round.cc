// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/round.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include <fmt/format.h>

#include "host/allocate/admission.h"
#include "host/allocate/certificate.h"
#include "host/allocate/max_min.h"

namespace foreflow::allocate {
namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kKib = 1'024;

WantInput input_of(const Round& round, const Member& member, bool contended) {
  return {.now = round.now,
          .demand = member.demand,
          .floor = member.least,
          .cap = std::min(member.cap, member.most),
          .installed = member.installed,
          .limited = member.limited,
          .known = member.known,
          .contended = contended};
}

WantState want_of(const Round& round, const Member& member, bool contended) {
  WantConfig config = round.want;
  config.hold_ns = member.hold_ns;
  return next_want(config, member.previous, input_of(round, member, contended));
}

// Which links of the problem are short of what is wanted.
std::vector<bool> short_links(const Problem& problem) {
  std::vector<Wide> wanted(problem.links.size());
  for (const Claim& claim : problem.claims)
    for (const LinkIndex link : claim.links) wanted[link] += claim.want.value;
  std::vector<bool> is_short(problem.links.size());
  for (std::size_t link = 0; link < wanted.size(); ++link)
    is_short[link] = problem.links[link].capacity != kUnlimited && wanted[link] > promisable(problem.links[link]).value;
  return is_short;
}

Claim claim_of(const Member& member, const WantState& state, const std::vector<LinkIndex>& link_of_pool) {
  Claim claim{.vm = member.vm,
              .tier = member.tier,
              .weight = member.weight,
              .guarantee = member.guarantee,
              .cap = member.cap,
              .want = state.want,
              .peak = std::max(state.want, member.peak),
              .links = {0}};
  if (member.pool != 0 && link_of_pool[member.pool - 1] != 0) claim.links.push_back(link_of_pool[member.pool - 1]);
  return claim;
}

// Raises the guarantees of the pool's members to its own together, where they want it.
void spread(const Pool& pool, std::uint32_t number, const Round& round, std::vector<Claim>& claims) {
  std::vector<Flow> flows;
  std::vector<std::size_t> members;
  constexpr std::array<std::uint32_t, 1> kOnly{0};
  Wide own = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (round.members[i].pool != number) continue;
    const Claim& claim = claims[i];
    own += claim.guarantee.value;
    flows.push_back(
        {claim.guarantee.value, std::max(claim.guarantee, std::min(claim.want, claim.cap)).value, claim.weight, kOnly});
    members.push_back(i);
  }
  if (own >= pool.guarantee.value) return;
  const std::array<std::uint64_t, 1> capacity{pool.guarantee.value};
  const Filling filling = fill(flows, capacity);
  for (std::size_t k = 0; k < members.size(); ++k) claims[members[k]].guarantee = {filling.flows[k].value};
}

// Rises as far as there is room, falls slowly; in KiB, as hypervisors do.
BytesPerSecond damp(const Member& member, BytesPerSecond cir, Damping& damping) {
  const auto has = member.installed.value;
  if (cir.value < has) {
    const auto least = std::max(cir.value, has - has / std::max<std::uint64_t>(damping.slowest, 1));
    return {std::min(has, (least + kKib - 1) / kKib * kKib)};
  }
  if (!member.enforced) return cir;
  const auto rise = std::min(cir.value - has, damping.room.value);
  damping.room.value -= rise;
  return {std::max(has, (has + rise) / kKib * kKib)};
}

Status check_pools(const Round& round) {
  for (const Member& member : round.members)
    if (member.pool > round.pools.size())
      return fail(ErrorCode::kInvalidArgument, fmt::format("vm {}: there is no group {}; the round has {}",
                                                           member.vm.value, member.pool, round.pools.size()));
  return {};
}

}  // namespace

Result<Solved> solve(const Round& round) {
  if (Status pools = check_pools(round); !pools) return tl::unexpected(std::move(pools.error()));
  Solved solved;
  Problem& problem = solved.problem;
  problem.lending = round.lending;
  problem.links.push_back({round.capacity, round.link});
  std::vector<LinkIndex> link_of_pool;
  for (const Pool& pool : round.pools) {
    link_of_pool.push_back(pool.cap == kUnlimited ? 0 : static_cast<LinkIndex>(problem.links.size()));
    if (pool.cap != kUnlimited) problem.links.push_back({pool.cap, "group " + pool.name + " on " + round.link, 100});
  }
  for (const Member& member : round.members) {
    solved.outcomes.push_back({.state = want_of(round, member, false)});
    problem.claims.push_back(claim_of(member, solved.outcomes.back().state, link_of_pool));
  }
  const std::vector<bool> is_short = short_links(problem);
  for (std::size_t i = 0; i < problem.claims.size(); ++i) {
    Claim& claim = problem.claims[i];
    if (!std::ranges::any_of(claim.links, [&](LinkIndex link) { return is_short[link]; })) continue;
    solved.outcomes[i].state = want_of(round, round.members[i], true);
    claim.want = solved.outcomes[i].state.want;
    claim.peak = std::max(claim.want, round.members[i].peak);
  }
  for (std::uint32_t number = 1; number <= round.pools.size(); ++number)
    spread(round.pools[number - 1], number, round, problem.claims);
  auto shares = allocate(problem);
  if (!shares) return tl::unexpected(std::move(shares.error()));
  if (Status proof = certify(problem, *shares); !proof) return tl::unexpected(std::move(proof.error()));
  for (std::size_t i = 0; i < solved.outcomes.size(); ++i) {
    solved.outcomes[i].guarantee = problem.claims[i].guarantee;
    solved.outcomes[i].share = (*shares)[i];
  }
  if (auto damping = round.damping)
    for (std::size_t i = 0; i < solved.outcomes.size(); ++i)
      solved.outcomes[i].damped = damp(round.members[i], solved.outcomes[i].share.cir, *damping);
  return solved;
}

}  // namespace foreflow::allocate
