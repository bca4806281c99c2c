// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/certificate.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "host/allocate/admission.h"

namespace foreflow::allocate {
namespace {

using Wide = unsigned __int128;

// One claim on its way up from `lower` to `upper`; `load` is what its links carry of it.
struct Rise {
  std::uint64_t value = 0;
  std::uint64_t lower = 0;
  std::uint64_t upper = 0;
  std::uint64_t load = 0;
  std::uint32_t weight = 0;
  std::uint8_t tier = 0;
};

// What a link says to those who have less than they want. Of the last tier that has more than its lower bounds here
// only the highest level counts; earlier tiers are not stopped by this link at all.
struct Verdict {
  Wide load = 0;
  std::uint64_t crossing = 0;
  int last_tier = -1;
  std::uint64_t highest_value = 0;  // of the last tier, by value per weight
  std::uint32_t highest_weight = 1;
};

class Certificate {
 public:
  Certificate(const Problem& problem, std::string_view what, std::vector<Rise> rises,
              std::vector<BytesPerSecond> capacities)
      : problem_(problem), what_(what), rises_(std::move(rises)), capacities_(std::move(capacities)) {
    verdicts_.resize(capacities_.size());
    for (std::size_t i = 0; i < rises_.size(); ++i)
      for (const LinkIndex link : problem_.claims[i].links) add(verdicts_[link], rises_[i]);
  }

  Status check() const {
    for (LinkIndex link = 0; link < capacities_.size(); ++link)
      if (capacities_[link] != kUnlimited && verdicts_[link].load > capacities_[link].value)
        return fail(ErrorCode::kInternal, fmt::format("{}: the sum of {} is above {}", link_name(problem_, link), what_,
                                                      format_rate(capacities_[link])));
    for (std::size_t i = 0; i < rises_.size(); ++i)
      if (!is_satisfied(i))
        return fail(ErrorCode::kInternal,
                    fmt::format("vm {}: {} is {} of {} B/s and no link that it crosses stops it",
                                problem_.claims[i].vm.value, what_, rises_[i].value, rises_[i].upper));
    return {};
  }

 private:
  static void add(Verdict& verdict, const Rise& rise) {
    verdict.load += rise.load;
    ++verdict.crossing;
    if (rise.value <= rise.lower || rise.tier < verdict.last_tier) return;
    const bool is_higher = Wide{rise.value} * verdict.highest_weight > Wide{verdict.highest_value} * rise.weight;
    if (rise.tier > verdict.last_tier || is_higher) {
      verdict.last_tier = rise.tier;
      verdict.highest_value = rise.value;
      verdict.highest_weight = rise.weight;
    }
  }

  bool is_satisfied(std::size_t i) const {
    const Rise& rise = rises_[i];
    if (rise.value >= rise.upper || rise.weight == 0) return true;
    return std::ranges::any_of(problem_.claims[i].links, [&](LinkIndex link) { return stops(link, rise); });
  }

  // A level is known to less than one unit of the claim that it stopped.
  bool stops(LinkIndex link, const Rise& rise) const {
    const Verdict& verdict = verdicts_[link];
    if (capacities_[link] == kUnlimited || capacities_[link].value - verdict.load >= verdict.crossing) return false;
    if (verdict.last_tier != rise.tier) return verdict.last_tier < rise.tier;
    return Wide{verdict.highest_value} * rise.weight < (Wide{rise.value} + 1) * verdict.highest_weight;
  }

  const Problem& problem_;
  std::string_view what_;
  std::vector<Rise> rises_;
  std::vector<BytesPerSecond> capacities_;
  std::vector<Verdict> verdicts_;
};

Status check_bounds(const Claim& claim, const Share& share) {
  const auto wrong = [&](std::string_view what) {
    return fail(ErrorCode::kInternal, fmt::format("vm {}: {} (grant {}, CIR {}, PIR {}, guarantee {}, cap {}, B/s)",
                                                  claim.vm.value, what, share.grant.value, share.cir.value,
                                                  share.pir.value, claim.guarantee.value, claim.cap.value));
  };
  if (share.vm != claim.vm) return wrong("the share is another VM's");
  if (share.cir != std::max(claim.guarantee, share.grant)) return wrong("CIR is not the larger of guarantee and grant");
  if (share.pir < share.cir) return wrong("PIR is below CIR");
  if (share.pir > claim.cap) return wrong("PIR is above the cap");
  if (share.grant > std::min(claim.want, claim.cap)) return wrong("the grant is more than it may have");
  if (share.grant < std::min(claim.want, claim.guarantee)) return wrong("the grant is below its guarantee");
  return {};
}

Status check_grants(const Problem& problem, const std::vector<Share>& shares) {
  std::vector<Rise> rises;
  std::vector<BytesPerSecond> capacities;
  rises.reserve(shares.size());
  capacities.reserve(problem.links.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Claim& claim = problem.claims[i];
    rises.push_back({shares[i].grant.value, std::min(claim.guarantee, claim.want).value,
                     std::min(claim.want, claim.cap).value, shares[i].cir.value, claim.weight, claim.tier});
  }
  for (const Link& link : problem.links) capacities.push_back(promisable(link));
  return Certificate(problem, "CIR", std::move(rises), std::move(capacities)).check();
}

Status check_spare(const Problem& problem, const std::vector<Share>& shares) {
  std::vector<Rise> rises;
  std::vector<BytesPerSecond> capacities;
  rises.reserve(shares.size());
  capacities.reserve(problem.links.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const Claim& claim = problem.claims[i];
    rises.push_back({shares[i].pir.value, shares[i].cir.value, claim.cap.value, shares[i].pir.value, claim.weight, 0});
  }
  for (const Link& link : problem.links) capacities.push_back(link.capacity);
  return Certificate(problem, "PIR", std::move(rises), std::move(capacities)).check();
}

}  // namespace

Status certify(const Problem& problem, const std::vector<Share>& shares) {
  if (shares.size() != problem.claims.size())
    return fail(ErrorCode::kInternal, fmt::format("{} shares for {} claims", shares.size(), problem.claims.size()));
  for (std::size_t i = 0; i < shares.size(); ++i)
    if (Status bounds = check_bounds(problem.claims[i], shares[i]); !bounds) return bounds;
  if (Status grants = check_grants(problem, shares); !grants) return grants;
  // With lending a peak may lift PIR above its share of the spare, so that no level describes it.
  return problem.lending ? Status{} : check_spare(problem, shares);
}

}  // namespace foreflow::allocate
