// SPDX-License-Identifier: Apache-2.0
// What the emulated device tells of a rule: its counter and its age.
#include "common/units.h"
#include "dataplane/offload/emulated/eswitch.h"

namespace foreflow::offload::emulated {

FlowAnswer<void> Eswitch::query(std::uint16_t port, Rule* rule, const rte_flow_action* action, void* out) {
  const std::lock_guard locked(mutex_);
  if (const auto refused = refusal_of(Call::kFlowQuery, port)) {
    return refuse(refused->error, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, refused->message);
  }
  if (auto known = check_rule(port, rule); !known) return known;
  if (action != nullptr && action->type == RTE_FLOW_ACTION_TYPE_COUNT)
    return query_count(*rule, *static_cast<rte_flow_query_count*>(out));
  if (action != nullptr && action->type == RTE_FLOW_ACTION_TYPE_AGE)
    return query_age(*rule, *static_cast<rte_flow_query_age*>(out));
  return refuse(ENOTSUP, RTE_FLOW_ERROR_TYPE_ACTION, "action not supported");
}

FlowAnswer<void> Eswitch::query_count(Rule& rule, rte_flow_query_count& out) {
  if (!rule.counts) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "flow does not have counter");
  const bool clear = out.reset != 0;
  const auto now = state_->clock.now();
  if (now - rule.told_ns >= state_->config.counter_delay_us * std::uint64_t{1'000}) {
    rule.told_packets = clear ? rule.packets.exchange(0) : rule.packets.load();
    rule.told_bytes = clear ? rule.bytes.exchange(0) : rule.bytes.load();
    rule.told_ns = now;
  }
  out.hits = rule.told_packets;
  out.bytes = rule.told_bytes;
  out.hits_set = out.bytes_set = 1;
  return {};
}

FlowAnswer<void> Eswitch::query_age(const Rule& rule, rte_flow_query_age& out) const {
  if (rule.idle_ns == 0) return refuse(EINVAL, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "age data not available");
  const auto now = state_->clock.now();
  const auto last = rule.last_hit_ns.load(std::memory_order_relaxed);
  const auto silent_ns = now > last ? now - last : 0;
  out = {};
  out.aged = silent_ns >= rule.idle_ns ? 1 : 0;
  out.sec_since_last_hit_valid = 1;
  out.sec_since_last_hit = static_cast<std::uint32_t>(silent_ns / kNanosPerSecond) & 0xff'ffffu;
  return {};
}

}  // namespace foreflow::offload::emulated
