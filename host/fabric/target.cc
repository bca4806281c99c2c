// SPDX-License-Identifier: Apache-2.0
#include "host/fabric/target.h"

#include <algorithm>
#include <tuple>

#include "common/wire/limits.h"

namespace foreflow::fabric {
namespace {

constexpr std::uint64_t kSmallChangePercent = 2;
constexpr std::uint32_t kPolicePriority = 100;
constexpr std::uint32_t kApplicationPriority = 100;
constexpr unsigned kKindBits = 8;
static_assert((1 + kDirections) * (1 + kCategories) <= 1u << kKindBits);

bool is_small_change(BytesPerSecond from, BytesPerSecond to) {
  const auto difference = from.value > to.value ? from.value - to.value : to.value - from.value;
  return difference <= from.value / 100 * kSmallChangePercent;
}

// Bursts follow the rates and need no comparison of their own.
bool is_small_change(const Limit& from, const Limit& to) {
  return from.guarantee == to.guarantee && from.cap == to.cap && from.police.vm == to.police.vm &&
         from.police.direction == to.police.direction && from.police.weight == to.police.weight &&
         from.police.packets_per_second == to.police.packets_per_second && from.police.shape == to.police.shape &&
         is_small_change(from.police.cir, to.police.cir) && is_small_change(from.police.pir, to.police.pir);
}

constexpr std::uint64_t kSmallestBurst = 2 * 9'018;  // two jumbo frames

wire::GroupSpec group_spec(const model::Group& group) {
  wire::GroupSpec spec{.name = group.name, .cap = group.cap};
  for (std::size_t d = 0; d < kDirections; ++d) {
    const auto burst = static_cast<unsigned __int128>(group.cap[d].value) * group.burst_ns / kNanosPerSecond;
    const auto most = std::min<unsigned __int128>(burst, wire::kLargestBurst);
    spec.burst[d] = Bytes{std::max(static_cast<std::uint64_t>(most), kSmallestBurst)};
  }
  return spec;
}

void add_treatments(const model::Vm& vm, std::vector<wire::Treatment>& treatments) {
  for (const auto& handling : vm.applications) {
    if (!handling.is_treated()) continue;
    wire::Treatment treatment{.vm = vm.id, .match = {.category = handling.category}, .drop = handling.drop};
    treatment.mirror = handling.mirror;
    treatment.queue_group = handling.queue_group;
    auto inwards = treatment;
    inwards.direction = Direction::kIngress;
    // What reaches a VM has no network before it that a mark could speak to, and no uplink to wait for.
    treatment.dscp = handling.dscp;
    treatment.queue = handling.queue;
    treatments.push_back(treatment);
    if (inwards.drop || inwards.mirror || inwards.queue_group != 0) treatments.push_back(inwards);
  }
}

void add_rules(const model::Vm& vm, std::vector<wire::Intent>& rules) {
  for (const auto& rule : vm.rules) {
    auto what = rule.what;
    what.vm = vm.id;
    rules.push_back({.id = rule_intent(vm.id, rule.number, what.direction),
                     .priority = rule.priority,
                     .demand = rule.demand,
                     .what = what});
  }
}

wire::Bypass intent_of(VmId vm, std::optional<Category> category, const model::Bypass& bypass) {
  return {.vm = vm,
          .category = category,
          .least_bytes = bypass.bytes.value,
          .idle_seconds = bypass.idle_seconds,
          .least_packets = bypass.packets};
}

void add_bypasses(const model::Fleet& fleet, const model::Vm& vm, std::vector<wire::Bypass>& bypasses) {
  const auto* group = fleet.group(vm.policy.group);
  const auto& bypass = vm.policy.bypass || group == nullptr ? vm.policy.bypass : group->bypass;
  if (bypass && !bypass->off) bypasses.push_back(intent_of(vm.id, std::nullopt, *bypass));
  for (const auto& handling : vm.applications)
    if (handling.bypass && !handling.bypass->off)
      bypasses.push_back(intent_of(vm.id, handling.category, *handling.bypass));
}

}  // namespace

Target make_target(const model::Fleet& fleet, const model::Dataplane& dataplane, const std::vector<Limit>& limits) {
  Target target{.device = dataplane.name, .uplinks = dataplane.uplinks, .signature_set = dataplane.signature_set};
  for (auto& uplink : target.uplinks)
    if (uplink.capacity[index(Direction::kEgress)] != kUnlimited) uplink.queueing = fleet.queueing;
  for (const auto& vm : fleet.vms)
    if (vm.dataplane == dataplane.name) {
      target.vms.push_back({vm.id, vm.name, vm.attachments, vm.allow_foreign_mac, vm.policy.group});
      add_treatments(vm, target.treatments);
      add_bypasses(fleet, vm, target.bypasses);
      add_rules(vm, target.rules);
    }
  for (const auto& group : fleet.groups)
    if (std::any_of(target.vms.begin(), target.vms.end(), [&](const auto& vm) { return vm.group == group.name; }))
      target.groups.push_back(group_spec(group));
  std::sort(target.groups.begin(), target.groups.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(target.vms.begin(), target.vms.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  for (const auto& limit : limits)
    if (std::ranges::binary_search(target.vms, limit.police.vm, {}, &wire::VmSpec::id)) target.limits.push_back(limit);
  std::ranges::sort(target.treatments, {}, [](const wire::Treatment& one) {
    return application_intent(one.vm, *one.match.category, one.direction);
  });
  std::ranges::sort(target.bypasses, {}, [](const wire::Bypass& one) { return bypass_intent(one.vm, one.category); });
  std::ranges::sort(target.rules, {}, &wire::Intent::id);
  std::sort(target.limits.begin(), target.limits.end(), [](const Limit& a, const Limit& b) {
    return std::tie(a.police.vm, a.police.direction) < std::tie(b.police.vm, b.police.direction);
  });
  return target;
}

wire::DesiredState desired_state(const Target& target, Generation generation) {
  wire::DesiredState state{.generation = generation, .uplinks = target.uplinks, .vms = target.vms};
  state.groups = target.groups;
  state.signature_set = target.signature_set;
  for (const auto& limit : target.limits)
    state.intents.push_back({.id = police_intent(limit.police.vm, limit.police.direction),
                             .priority = kPolicePriority,
                             .demand = wire::Demand::kPreferHardware,
                             .what = limit.police});
  // Only the pipeline knows a flow's application.
  for (const auto& treatment : target.treatments)
    state.intents.push_back({.id = application_intent(treatment.vm, *treatment.match.category, treatment.direction),
                             .priority = kApplicationPriority,
                             .demand = wire::Demand::kSoftware,
                             .what = treatment});
  for (const auto& bypass : target.bypasses)
    state.intents.push_back({.id = bypass_intent(bypass.vm, bypass.category),
                             .priority = kApplicationPriority,
                             .demand = wire::Demand::kPreferHardware,
                             .what = bypass});
  state.intents.insert(state.intents.end(), target.rules.begin(), target.rules.end());
  return state;
}

bool worth_a_push(const Target& installed, const Target& wanted) {
  if (installed.uplinks != wanted.uplinks || installed.vms != wanted.vms || installed.groups != wanted.groups ||
      installed.signature_set != wanted.signature_set || installed.limits.size() != wanted.limits.size() ||
      installed.treatments != wanted.treatments || installed.bypasses != wanted.bypasses ||
      installed.rules != wanted.rules)
    return true;
  return !std::equal(installed.limits.begin(), installed.limits.end(), wanted.limits.begin(),
                     [](const Limit& a, const Limit& b) { return is_small_change(a, b); });
}

IntentId police_intent(VmId vm, Direction direction) {
  return IntentId{(static_cast<std::uint64_t>(vm.value) << kKindBits) | index(direction)};
}

IntentId application_intent(VmId vm, Category category, Direction direction) {
  return IntentId{police_intent(vm, direction).value + kDirections * (1 + index(category))};
}

IntentId bypass_intent(VmId vm, std::optional<Category> category) {
  const auto first = police_intent(vm, Direction::kEgress).value + kDirections * (1 + kCategories);
  return IntentId{first + (category ? 1 + index(*category) : 0)};
}

// Beyond what VM, kind and direction take.
IntentId rule_intent(VmId vm, std::uint32_t number, Direction direction) {
  return IntentId{(std::uint64_t{1} + number) << (32 + kKindBits) | police_intent(vm, direction).value};
}

}  // namespace foreflow::fabric
