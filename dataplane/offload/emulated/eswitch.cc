// SPDX-License-Identifier: Apache-2.0
// Management of the emulated device. What it does to packets is in receive.cc.
#include "dataplane/offload/emulated/eswitch.h"

#include <algorithm>
#include <cstdlib>

#include <rte_cycles.h>

#include "common/clock.h"
#include "common/log.h"

namespace foreflow::offload::emulated {
namespace {

// Every rule, and every meter with two profiles and a policy of its own.
DeviceMemory::Slot slots_of(const EswitchConfig& config) { return config.rules + 4 * config.meters; }

}  // namespace

Eswitch::State::State(const EswitchConfig& its_config, DeviceMemory its_memory)
    : config(its_config),
      memory(std::move(its_memory)),
      clock(its_config),
      meters(its_config, memory, [this](std::uint32_t number) -> Group& { return group(number); }) {
  group(0);
  restore(memory.take());
  memory.claim();
}

Group& Eswitch::State::group(std::uint32_t number) {
  auto& group = groups[number];
  if (!group) group = std::make_unique<Group>(number);
  return *group;
}

Eswitch& Eswitch::instance() {
  // Never destroyed: receiving threads may outlive static objects.
  static auto* device = new Eswitch;
  return *device;
}

Eswitch::Eswitch() {
  const char* text = std::getenv("FOREFLOW_ESWITCH");
  const auto config = parse_config(text != nullptr ? text : "");
  if (!config) {
    log::error("the emulated eSwitch refuses everything", {{"reason", config.error().message}});
    misconfigured_ = "the environment variable FOREFLOW_ESWITCH is wrong, see the log";
  }
  build(config.value_or(EswitchConfig{}));
}

void Eswitch::build(const EswitchConfig& config) {
  state_.reset();  // gives the memory free
  auto memory = config.memory.empty()
                    ? DeviceMemory{}
                    : DeviceMemory::open(config.memory, slots_of(config), config.profile == Profile::kSticky);
  if (!memory) {
    log::error("the emulated eSwitch refuses everything", {{"reason", memory.error().message}});
    misconfigured_ = "the emulated device's memory cannot be used, see the log";
  }
  state_ = std::make_unique<State>(config, memory ? std::move(*memory) : DeviceMemory{});
  active_ = !state_->rules.empty();
}

void Eswitch::reset(const EswitchConfig& config) {
  const std::lock_guard locked(mutex_);
  const Gate::Closed closed(gate_);
  misconfigured_ = nullptr;
  build(config);
}

void Eswitch::inject(const Failure& failure) {
  const std::lock_guard locked(mutex_);
  state_->config.failures.push_back(failure);
}

void Eswitch::lose_all() {
  const std::lock_guard locked(mutex_);
  forget_all();
}

void Eswitch::forget_all() {
  while (!state_->rules.empty()) remove(*state_->rules.begin()->first);
  for (std::uint16_t port = 0; port < RTE_MAX_ETHPORTS; ++port) state_->meters.forget(port);
}

void Eswitch::set_clock(std::uint64_t (*now_ns)()) {
  const std::lock_guard locked(mutex_);
  state_->clock.replace(now_ns);
}

Usage Eswitch::usage() {
  const std::lock_guard locked(mutex_);
  auto usage = state_->meters.usage();
  usage.rules = state_->rules.size();
  return usage;
}

void Eswitch::detach(std::uint16_t port) {
  const std::lock_guard locked(mutex_);
  for (auto& [where, queue] : queues_) {
    if (where.first != port || queue.callback == nullptr) continue;
    rte_eth_remove_rx_callback(port, where.second, queue.callback);
    queue.callback = nullptr;
  }
  remove_rules_of(port);
  state_->meters.forget(port);
}

void Eswitch::remove_rules_of(std::uint16_t port) {
  for (auto it = state_->rules.begin(); it != state_->rules.end();) {
    auto* rule = it->first;
    ++it;
    if (rule->owner == port) remove(*rule);
  }
}

// The lowest port that exists.
std::optional<std::uint16_t> Eswitch::proxy() const {
  const auto first = rte_eth_find_next(0);
  if (first >= RTE_MAX_ETHPORTS) return std::nullopt;
  return static_cast<std::uint16_t>(first);
}

std::optional<Eswitch::Refused> Eswitch::refusal_of(std::optional<Call> call, std::uint16_t port) {
  if (misconfigured_ != nullptr) return Refused{EINVAL, misconfigured_};
  if (state_->config.profile == Profile::kNone) return Refused{ENOSYS, "Function not implemented"};
  if (rte_eth_dev_is_valid_port(port) == 0) return Refused{ENODEV, "No such device"};
  if (state_->config.profile != Profile::kCnxk && proxy() != port)
    return Refused{ENOTSUP, "E-Switch objects are managed through the transfer proxy port"};
  if (!call) return std::nullopt;
  for (auto& failure : state_->config.failures) {
    if (failure.call != *call || failure.nth == 0) continue;
    if (--failure.nth != 0) continue;
    if (!failure.loses_all) return Refused{failure.error, failure.message};
    forget_all();
  }
  return std::nullopt;
}

FlowAnswer<std::uint16_t> Eswitch::proxy_of(std::uint16_t port) {
  const std::lock_guard locked(mutex_);
  const auto found = state_->config.profile == Profile::kCnxk ? port : proxy();
  if (!found || rte_eth_dev_is_valid_port(port) == 0) {
    return refuse(ENODEV, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "No such device");
  }
  if (const auto refused = refusal_of(std::nullopt, *found)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  return *found;
}

FlowAnswer<RuleDraft> Eswitch::check(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                                     const rte_flow_action* actions) {
  if (state_->config.profile == Profile::kCnxk && attr.transfer != 0) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ATTR_TRANSFER, "transfer attribute is not supported");
  }
  auto draft = read_rule(attr, items, actions);
  if (!draft) return draft;
  if (draft->meter) {
    if (const auto checked = check_meter(port, *draft); !checked) return tl::unexpected(checked.error());
  }
  if (!state_->config.metadata && (draft->metadata_mask != 0 || draft->mask.metadata() != 0)) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "extended metadata feature isn't enabled");
  }
  if (state_->rules.size() >= state_->config.rules) {
    return refuse(ENOSPC, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "flow table is full");
  }
  return draft;
}

FlowAnswer<void> Eswitch::check_meter(std::uint16_t port, const RuleDraft& draft) {
  const auto* meter = state_->meters.find(port, *draft.meter);
  if (meter == nullptr) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "Meter not found");
  if (!meter->shared() && meter->users > 0) {
    return refuse(EBUSY, RTE_FLOW_ERROR_TYPE_ACTION, "Meter is not shared and in use by another flow");
  }
  if (meter->counts_drops() && !draft.mask.has_port()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ITEM_SPEC,
                  "Meter drop count or modify_field/set_tag in meter hierarchy not supported when matching all ports.");
  }
  if (!meter->policy->ends() && draft.ends_itself()) {
    return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "meter with a fate in its policy must be the last action");
  }
  if (meter->policy->ends() && !draft.ends_itself()) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "no fate action is found");
  }
  for (const auto& fate : meter->policy->fates) {
    if (fate.group != nullptr && fate.group->number() == draft.group) {
      return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_ACTION, "target group must be other than the current flow group");
    }
  }
  return {};
}

FlowAnswer<void> Eswitch::validate(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                                   const rte_flow_action* actions) {
  const std::lock_guard locked(mutex_);
  if (const auto refused = refusal_of(Call::kFlowValidate, port)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  if (state_->config.validate_lies) return {};
  if (const auto draft = check(port, attr, items, actions); !draft) return tl::unexpected(draft.error());
  return {};
}

FlowAnswer<Rule*> Eswitch::create(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                                  const rte_flow_action* actions) {
  const std::lock_guard locked(mutex_);
  if (const auto refused = refusal_of(Call::kFlowCreate, port)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  const auto draft = check(port, attr, items, actions);
  if (!draft) return tl::unexpected(draft.error());
  rte_delay_us_block(state_->config.insert_delay_us);
  const Gate::Closed closed(gate_);
  auto* rule = state_->install(port, *draft);
  if (rule == nullptr) {
    return refuse(EEXIST, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "a rule with this match and priority exists");
  }
  active_.store(true, std::memory_order_release);
  return rule;
}

Rule* Eswitch::State::install(std::uint16_t owner, const RuleDraft& draft) {
  auto rule = std::make_unique<Rule>();
  rule->owner = owner;
  rule->group = &group(draft.group);
  rule->priority = draft.priority;
  rule->mask = draft.mask;
  rule->value = draft.value;
  rule->counts = draft.counts;
  rule->drops = draft.drops;
  if (draft.meter) rule->meter = meters.find(owner, *draft.meter);
  if (draft.jump) rule->jump = &group(*draft.jump);
  rule->dscp = draft.dscp;
  rule->metadata = draft.metadata;
  rule->metadata_mask = draft.metadata_mask;
  rule->mirror_port = draft.mirror_port;
  rule->out_port = draft.out_port;
  rule->idle_ns = draft.idle_seconds * kNanosPerSecond;
  rule->last_hit_ns = rule->told_ns = clock.now();
  if (!rule->group->insert(*rule)) return nullptr;
  if (rule->meter != nullptr) ++rule->meter->users;
  rule->slot = memory.put(RuleRecord{owner, draft});
  auto* handle = rule.get();
  rules.emplace(handle, std::move(rule));
  return handle;
}

FlowAnswer<void> Eswitch::check_rule(std::uint16_t port, const Rule* rule) const {
  const auto it = state_->rules.find(const_cast<Rule*>(rule));
  if (it == state_->rules.end() || it->first->owner != port) {
    return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_HANDLE, "invalid flow handle");
  }
  return {};
}

FlowAnswer<void> Eswitch::destroy(std::uint16_t port, Rule* rule) {
  const std::lock_guard locked(mutex_);
  if (const auto refused = refusal_of(Call::kFlowDestroy, port)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  if (auto known = check_rule(port, rule); !known) return known;
  remove(*rule);
  return {};
}

void Eswitch::remove(Rule& rule) {
  {
    const Gate::Closed closed(gate_);
    rule.group->remove(rule);
  }
  if (rule.meter != nullptr) --rule.meter->users;
  state_->memory.erase(rule.slot);
  state_->rules.erase(&rule);
  active_.store(!state_->rules.empty(), std::memory_order_release);
}

FlowAnswer<void> Eswitch::flush(std::uint16_t port) {
  const std::lock_guard locked(mutex_);
  if (const auto refused = refusal_of(Call::kFlowFlush, port)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  remove_rules_of(port);
  return {};
}

}  // namespace foreflow::offload::emulated
