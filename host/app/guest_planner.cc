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
constexpr std::uint64_t kStep = 16;  // what is kept falls when a VM needs less by one part in so many
constexpr double kPeakQuantile = .999;

std::string amount_text(GuestResource resource, std::uint64_t amount) {
  return audit::text_of(audit::subject_of(resource))({amount});
}

const std::optional<model::GuestShare>& share_of(const model::Vm& vm, GuestResource resource) {
  return resource == GuestResource::kCpu ? vm.policy.cpu : vm.policy.memory;
}

std::uint64_t present(const GuestNow& guest, GuestResource resource) {
  return resource == GuestResource::kCpu ? guest.domain->vcpus * kOneCpu : guest.domain->memory.current.value;
}

// So that small changes are none.
std::uint64_t rounded_up(std::uint64_t bytes) {
  constexpr std::uint64_t kGrain = 16ull << 20;
  return (bytes + kGrain - 1) / kGrain * kGrain;
}

// Why memory is not where it shall be.
std::string damping_text(const allocate::Outcome& outcome) {
  if (!outcome.damped || *outcome.damped == outcome.share.cir) return "";
  if (*outcome.damped > outcome.share.cir)
    return fmt::format("; on the way to {}", format_bytes({outcome.share.cir.value}));
  return "; until the host has more memory free";
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

GuestPlanner::Kept GuestPlanner::kept(const GuestNow& guest, GuestResource resource) {
  if (resource == GuestResource::kCpu) return {};
  const auto& memory = guest.domain->memory;
  if (!guest.used) {
    kept_.erase(guest.vm->id);
    return {memory.current.value, 0};
  }
  const auto spare = margin(*guest.used).value;
  const Kept needed{rounded_up(guest.used->value + spare), rounded_up(spare)};
  auto& held = kept_[guest.vm->id];
  if (needed.amount > held.amount || needed.amount < held.amount - held.amount / kStep) held = needed;
  return {std::min(held.amount, memory.maximum.value), held.margin};
}

allocate::Member GuestPlanner::member_of(const GuestRequest& request, const GuestNow& guest, GuestResource resource,
                                         Basis& basis) {
  const auto& vm = *guest.vm;
  const auto& share = *share_of(vm, resource);
  const auto& tier = *request.fleet.tier(vm.policy.tier);
  const auto made_with =
      resource == GuestResource::kCpu ? guest.domain->vcpus_maximum * kOneCpu : guest.domain->memory.maximum.value;
  const auto [in_use, spare] = kept(guest, resource);
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
  const bool is_quota = resource == GuestResource::kCpu && seen != memory_.end();
  member.installed = {is_quota ? std::min(seen->second.limit.value, has) : has};
  member.enforced = guest.enforced;
  const auto forecast = request.forecast(vm.id, resource);
  member.known = false;
  if (!forecast) {
    basis.text = "nothing seen yet";
    return member;
  }
  member.limited = forecast->limited && resource == GuestResource::kCpu;
  member.demand = {forecast->want(tier.quantile).value + spare};
  member.peak = {forecast->demand(kPeakQuantile, forecast->quantiles.horizon()).value + spare};
  basis.model = forecast->quantiles.model;
  basis.text =
      fmt::format("q{} by {}{}", tier.quantile, forecast->quantiles.model, member.limited ? ", limited now" : "");
  if (resource == GuestResource::kMemory && !guest.used) {
    basis.text += ", held: its balloon driver does not say what is in use";
  } else if (allocate::doubt(member.demand, {forecast->last.value + spare}, {made_with}) != allocate::Doubt::kNone) {
    basis.text +=
        fmt::format(", held: implausible beside the {} seen last", amount_text(resource, forecast->last.value));
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
  if (!is_cpu) round.damping = allocate::Damping{.room = {free_memory(request)}};
  std::vector<Basis> bases(guests.size());
  for (std::size_t i = 0; i < guests.size(); ++i)
    round.members.push_back(member_of(request, *guests[i], resource, bases[i]));
  if (const auto admitted = admit(resource, round); !admitted) {
    planned.failures[resource] = admitted.error().message;
    return;
  }
  auto solved = allocate::solve(round);
  if (!solved) {
    planned.failures[resource] = solved.error().message;
    return;
  }
  std::vector<allocate::Share> shares;
  for (const auto& outcome : solved->outcomes) shares.push_back(outcome.share);
  const auto subject = audit::subject_of(resource);
  const auto reasons = allocate::explain(solved->problem, shares, audit::text_of(subject));
  audit::Entry entry{.device = request.host, .subject = subject, .round = std::move(round)};
  entry.digest = audit::digest_of(solved->outcomes);
  for (std::size_t i = 0; i < guests.size(); ++i) {
    const auto& outcome = solved->outcomes[i];
    const auto key = std::pair{guests[i]->vm->id, resource};
    model::GuestDecision decision{
        .want = outcome.state.want.value,
        .limit = outcome.limit().value,
        .why = fmt::format("wants {} ({}); {}{}", amount_text(resource, outcome.state.want.value), bases[i].text,
                           reasons[i], damping_text(outcome)),
        .enforced = guests[i]->enforced};
    if (is_cpu) decision.limit = std::max(decision.limit, kLeastCpu);
    memory_[key] = {outcome.state, decision.enforced ? BytesPerSecond{decision.limit} : kUnlimited};
    entry.notes.push_back({std::move(bases[i].model), decision.enforced});
    planned.decisions[key] = std::move(decision);
  }
  planned.ran.push_back({std::move(entry), std::move(solved->outcomes)});
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
  std::erase_if(kept_, [&](const auto& item) { return !known.contains(item.first); });
}

}  // namespace foreflow::app
