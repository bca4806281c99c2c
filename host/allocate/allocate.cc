// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/allocate.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

#include "host/allocate/admission.h"
#include "host/allocate/max_min.h"

namespace foreflow::allocate {
namespace {

// The links of each claim that can fill up at all, in one array.
class ConstrainedLinks {
 public:
  explicit ConstrainedLinks(const Problem& problem) {
    for (const Claim& claim : problem.claims) {
      first_.push_back(links_.size());
      for (const LinkIndex link : claim.links)
        if (problem.links[link].capacity != kUnlimited) links_.push_back(link);
    }
    first_.push_back(links_.size());
  }

  std::span<const LinkIndex> of(std::size_t claim) const {
    return std::span(links_).subspan(first_[claim], first_[claim + 1] - first_[claim]);
  }

 private:
  std::vector<LinkIndex> links_;
  std::vector<std::size_t> first_;
};

class Allocation {
 public:
  explicit Allocation(const Problem& problem) : problem_(problem), links_(problem), shares_(problem.claims.size()) {}

  std::vector<Share> run() && {
    reserve_guarantees();
    std::array<std::vector<std::size_t>, 256> tiers;
    for (std::size_t i = 0; i < shares_.size(); ++i)
      if (!settle_alone(i)) tiers[problem_.claims[i].tier].push_back(i);
    for (const std::vector<std::size_t>& tier : tiers)
      if (!tier.empty()) grant(tier);
    for (std::size_t i = 0; i < shares_.size(); ++i)
      shares_[i].cir = std::max(problem_.claims[i].guarantee, shares_[i].grant);
    lend_spare();
    return std::move(shares_);
  }

 private:
  void reserve_guarantees() {
    for (const Link& link : problem_.links) room_.push_back(promisable(link).value);
    for (std::size_t i = 0; i < shares_.size(); ++i)
      for (const LinkIndex link : links_.of(i)) room_[link] -= problem_.claims[i].guarantee.value;
  }

  // A claim that its guarantee (or weight 0) decides, whatever the others do.
  bool settle_alone(std::size_t i) {
    const Claim& claim = problem_.claims[i];
    Share& share = shares_[i];
    share.vm = claim.vm;
    const BytesPerSecond upper = std::min(claim.want, claim.cap);
    share.grant = std::min(upper, claim.guarantee);
    if (upper <= claim.guarantee) {
      share.binding = claim.want <= claim.cap ? Binding::kWant : Binding::kCap;
      return true;
    }
    share.binding = Binding::kGuaranteeOnly;
    return claim.weight == 0;
  }

  // Its guarantees are reserved already, so each claim of the tier starts from there.
  void grant(const std::vector<std::size_t>& tier) {
    std::vector<Flow> flows;
    std::vector<std::uint64_t> capacities = room_;
    for (const std::size_t i : tier) {
      const Claim& claim = problem_.claims[i];
      flows.push_back({claim.guarantee.value, std::min(claim.want, claim.cap).value, claim.weight, links_.of(i)});
      for (const LinkIndex link : links_.of(i)) capacities[link] += claim.guarantee.value;
    }
    const Filling filling = fill(flows, capacities);
    for (std::size_t k = 0; k < tier.size(); ++k) {
      record(tier[k], filling.flows[k]);
      for (const LinkIndex link : flows[k].links) room_[link] -= filling.flows[k].value - flows[k].lower;
    }
    // The rounding's remainder of a link that this tier has filled is not for the tiers behind it.
    for (LinkIndex link = 0; link < room_.size(); ++link)
      if (filling.closed[link] != 0) room_[link] = 0;
  }

  void record(std::size_t i, const Filled& filled) {
    const Claim& claim = problem_.claims[i];
    shares_[i].grant = {filled.value};
    if (filled.bottleneck) {
      shares_[i].binding = Binding::kLink;
      shares_[i].link = *filled.bottleneck;
    } else {
      shares_[i].binding = claim.want <= claim.cap ? Binding::kWant : Binding::kCap;
    }
  }

  // From the CIR to the cap, all tiers together and up to the whole capacity: what is promised to nobody.
  void lend_spare() {
    std::vector<Flow> flows;
    std::vector<std::uint64_t> capacities;
    for (const Link& link : problem_.links) capacities.push_back(link.capacity.value);
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      const Claim& claim = problem_.claims[i];
      const std::uint64_t upper = claim.weight == 0 ? shares_[i].cir.value : claim.cap.value;
      flows.push_back({shares_[i].cir.value, upper, claim.weight, links_.of(i)});
    }
    const Filling filling = fill(flows, capacities);
    for (std::size_t i = 0; i < shares_.size(); ++i) {
      shares_[i].pir = {filling.flows[i].value};
      if (problem_.lending)
        shares_[i].pir = std::min(BytesPerSecond{flows[i].upper}, std::max(shares_[i].pir, problem_.claims[i].peak));
    }
  }

  const Problem& problem_;
  ConstrainedLinks links_;
  std::vector<std::uint64_t> room_;  // per link: promisable, above what is reserved
  std::vector<Share> shares_;
};

}  // namespace

std::string_view to_string(Binding binding) {
  switch (binding) {
    case Binding::kWant:
      return "want";
    case Binding::kCap:
      return "cap";
    case Binding::kLink:
      return "link";
    case Binding::kGuaranteeOnly:
      return "guarantee_only";
  }
  return "unknown";
}

Result<std::vector<Share>> allocate(const Problem& problem) {
  if (Status admitted = admit(problem); !admitted) return tl::unexpected(std::move(admitted.error()));
  return Allocation(problem).run();
}

}  // namespace foreflow::allocate
