// SPDX-License-Identifier: Apache-2.0
#include "host/app/guest_planner.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "host/allocate/trust.h"
#include "host/model/live.h"

namespace foreflow::app {
namespace {

using model::GuestResource;

constexpr std::uint64_t kOneCpu = 1'000'000;
constexpr std::uint64_t kLeastCpu = 100'000;  // wanted, whatever the forecast: a domain has to answer
constexpr std::uint64_t kLeastMargin = 64ull << 20;
constexpr std::uint64_t kSlowest = 20;  // memory falls by one part in so many
constexpr std::size_t kLeads = 2;       // the interval in progress and the next
constexpr double kPeakQuantile = .999;

std::string amount_text(GuestResource resource, std::uint64_t amount) {
  if (amount == kUnlimited.value) return "unlimited";
  if (resource == GuestResource::kCpu)
    return fmt::format("{:.2f} CPUs", static_cast<double>(amount) / static_cast<double>(kOneCpu));
  return format_bytes({amount});
}

const std::optional<model::GuestShare>& share_of(const model::Vm& vm, GuestResource resource) {
  return resource == GuestResource::kCpu ? vm.cpu : vm.memory;
}

std::uint64_t present(const GuestNow& guest, GuestResource resource) {
  return resource == GuestResource::kCpu ? guest.domain->vcpus * kOneCpu : guest.domain->memory.current.value;
}

// What a VM cannot give back.
std::uint64_t kept(const GuestNow& guest, GuestResource resource) {
  if (resource == GuestResource::kCpu) return 0;
  const auto current = guest.domain->memory.current.value;
  if (!guest.used) return current;
  return std::min(guest.used->value + GuestPlanner::margin(*guest.used).value, guest.domain->memory.maximum.value);
}

std::string binding_text(GuestResource resource, const allocate::Round& round, const allocate::Member& member,
                         const allocate::Outcome& outcome) {
  switch (outcome.share.binding) {
    case allocate::Binding::kWant:
      return "all it wants";
    case allocate::Binding::kCap:
      return fmt::format("at most {}", amount_text(resource, member.cap.value));
    case allocate::Binding::kLink:
      return fmt::format("limited by {}, which has {}", round.link, amount_text(resource, round.capacity.value));
    case allocate::Binding::kGuaranteeOnly:
      return fmt::format("its guarantee of {} and no more (weight 0)", amount_text(resource, member.guarantee.value));
  }
  return "";
}

// Memory falls slowly, and rises into what is there.
void damp(const GuestNow& guest, std::uint64_t& available, model::GuestDecision& decision) {
  const auto has = present(guest, GuestResource::kMemory);
  if (decision.limit < has) {
    const auto slowly = has - has / kSlowest;
    if (decision.limit < slowly) decision.why += fmt::format("; on the way to {}", format_bytes({decision.limit}));
    decision.limit = std::max({decision.limit, slowly, std::min(kept(guest, GuestResource::kMemory), has)});
  } else if (guest.enforced) {
    const auto rise = std::min(decision.limit - has, available);
    if (rise < decision.limit - has) decision.why += "; until the host has more memory free";
    decision.limit = has + rise;
    available -= rise;
  }
}

// Guarantees and what is in use must fit, else the host has been promised twice.
Status admit(GuestResource resource, const allocate::Round& round) {
  unsigned __int128 sum = 0;
  for (const auto& member : round.members) sum += member.guarantee.value;
  const auto most = static_cast<unsigned __int128>(round.capacity.value) * allocate::kPromisablePercent / 100;
  if (sum <= most) return {};
  return fail(ErrorCode::kInvalidArgument,
              fmt::format("{}: guarantees{} come to {}, more than the {} that can be promised of {}", round.link,
                          resource == GuestResource::kMemory ? " and memory in use" : "",
                          amount_text(resource, static_cast<std::uint64_t>(sum)),
                          amount_text(resource, static_cast<std::uint64_t>(most)),
                          amount_text(resource, round.capacity.value)));
}

}  // namespace

Bytes GuestPlanner::margin(Bytes used) { return {std::max(used.value / 8, kLeastMargin)}; }

bool GuestPlanner::is_limited(const model::GuestSample& sample) const {
  const auto found = memory_.find({sample.vm, GuestResource::kCpu});
  if (found == memory_.end() || sample.interval_ns == 0) return false;
  const auto used = model::rate(sample.cpu_ns / 1'000, sample.interval_ns).value;
  return used >= std::min(found->second.limit.value, sample.vcpus * kOneCpu) / 20 * 19;
}

allocate::Member GuestPlanner::member_of(const GuestRequest& request, const GuestNow& guest, GuestResource resource,
                                         std::string& basis) {
  const auto& vm = *guest.vm;
  const auto& share = *share_of(vm, resource);
  const auto& tier = *request.fleet.tier(vm.policy.tier);
  const auto made_with =
      resource == GuestResource::kCpu ? guest.domain->vcpus_maximum * kOneCpu : guest.domain->memory.maximum.value;
  const auto in_use = kept(guest, resource);
  allocate::Member member{.vm = vm.id,
                          .tier = tier.priority,
                          .weight = static_cast<std::uint32_t>(std::min<std::uint64_t>(
                              std::uint64_t{tier.weight} * share.weight, model::kLargestWeight)),
                          .cap = {std::min(std::max(share.cap, in_use), made_with)},
                          .hold_ns = tier.hold_ns.value_or(settings_.hold_ns)};
  member.guarantee = {std::min(std::max(share.guarantee, in_use), member.cap.value)};
  member.least = std::max(member.guarantee, {resource == GuestResource::kCpu ? kLeastCpu : kLeastMargin});
  const auto has = present(guest, resource);
  const auto seen = memory_.find({vm.id, resource});
  // At first sight a domain keeps what it has until the forecast of a whole hold says otherwise.
  member.previous = seen == memory_.end() ? allocate::WantState{BytesPerSecond{has}, {}} : seen->second.want;
  member.installed = {seen == memory_.end() ? has : std::min(seen->second.limit.value, has)};
  const auto forecast = request.forecast(vm.id, resource);
  member.known = false;
  if (!forecast) {
    basis = "nothing seen yet";
    return member;
  }
  const auto spare = resource == GuestResource::kMemory && guest.used ? margin(*guest.used).value : 0;
  member.limited = forecast->limited && resource == GuestResource::kCpu;
  member.demand = {forecast->demand(tier.quantile, kLeads).value + spare};
  member.peak = {forecast->demand(kPeakQuantile, forecast->quantiles.horizon()).value + spare};
  basis = fmt::format("q{} by {}{}", tier.quantile, forecast->quantiles.model, member.limited ? ", limited now" : "");
  if (resource == GuestResource::kMemory && !guest.used) {
    basis += ", held: its balloon driver does not say what is in use";
  } else if (allocate::doubt(member.demand, {forecast->last.value + spare}, {made_with}) != allocate::Doubt::kNone) {
    basis += fmt::format(", held: implausible beside the {} seen last", amount_text(resource, forecast->last.value));
    member.demand = std::max(std::min(member.demand, {made_with}), forecast->last);
  } else {
    member.known = true;
  }
  return member;
}

// What the host has of memory to give at this moment; what balloons will give back is not there yet.
std::uint64_t GuestPlanner::free_memory(const GuestRequest& request) {
  unsigned __int128 taken = request.others.value;
  for (const auto& guest : request.guests) taken += guest.domain->memory.current.value;
  const auto most = static_cast<unsigned __int128>(request.node.memory.value) * allocate::kPromisablePercent / 100;
  return static_cast<std::uint64_t>(taken < most ? most - taken : 0);
}

void GuestPlanner::plan_resource(const GuestRequest& request, GuestResource resource, GuestPlanned& planned) {
  const bool is_cpu = resource == GuestResource::kCpu;
  allocate::Round round{.now = request.now, .link = fmt::format("{} {}", request.host, model::to_string(resource))};
  round.lending = false;
  std::vector<const GuestNow*> guests;
  std::uint64_t others = request.others.value;
  for (const auto& guest : request.guests) {
    if (share_of(*guest.vm, resource))
      guests.push_back(&guest);
    else
      others += guest.domain->memory.current.value;
  }
  if (guests.empty()) return;
  round.capacity = {is_cpu ? request.node.cpus * kOneCpu
                           : request.node.memory.value - std::min(request.node.memory.value, others)};
  std::ranges::sort(guests, {}, [](const GuestNow* guest) { return guest->vm->id; });
  std::vector<std::string> bases(guests.size());
  for (std::size_t i = 0; i < guests.size(); ++i)
    round.members.push_back(member_of(request, *guests[i], resource, bases[i]));
  if (const auto admitted = admit(resource, round); !admitted) {
    planned.failures[resource] = admitted.error().message;
    return;
  }
  const auto solved = allocate::solve(round);
  if (!solved) {
    planned.failures[resource] = solved.error().message;
    return;
  }
  auto available = is_cpu ? 0 : free_memory(request);
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const auto& guest = *guests[i];
    const auto& outcome = solved->outcomes[i];
    model::GuestDecision decision{.want = outcome.state.want.value,
                                  .limit = is_cpu ? outcome.share.pir.value : outcome.share.cir.value,
                                  .enforced = guest.enforced};
    decision.why = fmt::format("wants {} ({}); {}", amount_text(resource, decision.want), bases[i],
                               binding_text(resource, round, round.members[i], outcome));
    if (is_cpu)
      decision.limit = std::max(decision.limit, kLeastCpu);
    else
      damp(guest, available, decision);
    memory_[{guest.vm->id, resource}] = {outcome.state, guest.enforced ? BytesPerSecond{decision.limit} : kUnlimited};
    planned.decisions[{guest.vm->id, resource}] = std::move(decision);
  }
}

GuestPlanned GuestPlanner::plan(const GuestRequest& request) {
  GuestPlanned planned;
  for (const auto resource : {GuestResource::kCpu, GuestResource::kMemory}) plan_resource(request, resource, planned);
  return planned;
}

void GuestPlanner::retain(const model::Fleet& fleet) {
  std::set<VmId> known;
  for (const auto& vm : fleet.vms) known.insert(vm.id);
  std::erase_if(memory_, [&](const auto& item) { return !known.contains(item.first.first); });
}

}  // namespace foreflow::app
