// SPDX-License-Identifier: Apache-2.0
// Public rte_flow calls of our own objects arrive here instead of in the driver (-Wl,--wrap).
#include <rte_errno.h>

#include "dataplane/offload/emulated/eswitch.h"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker gives these names
using foreflow::offload::emulated::Eswitch;
using foreflow::offload::emulated::FlowRefusal;
using foreflow::offload::emulated::Rule;

namespace {

int answer(const FlowRefusal& refusal, rte_flow_error* error) {
  return rte_flow_error_set(error, refusal.error, refusal.field, nullptr, refusal.message);
}

Rule* rule_of(rte_flow* flow) { return reinterpret_cast<Rule*>(flow); }

}  // namespace

extern "C" {

int __wrap_rte_flow_pick_transfer_proxy(std::uint16_t port_id, std::uint16_t* proxy_port_id, rte_flow_error* error) {
  const auto proxy = Eswitch::instance().proxy_of(port_id);
  if (!proxy) return answer(proxy.error(), error);
  *proxy_port_id = *proxy;
  return 0;
}

int __wrap_rte_flow_validate(std::uint16_t port_id, const rte_flow_attr* attr, const rte_flow_item* pattern,
                             const rte_flow_action* actions, rte_flow_error* error) {
  if (attr == nullptr) return answer({EINVAL, RTE_FLOW_ERROR_TYPE_ATTR, "NULL attribute"}, error);
  const auto valid = Eswitch::instance().validate(port_id, *attr, pattern, actions);
  return valid ? 0 : answer(valid.error(), error);
}

rte_flow* __wrap_rte_flow_create(std::uint16_t port_id, const rte_flow_attr* attr, const rte_flow_item* pattern,
                                 const rte_flow_action* actions, rte_flow_error* error) {
  if (attr == nullptr) {
    answer({EINVAL, RTE_FLOW_ERROR_TYPE_ATTR, "NULL attribute"}, error);
    return nullptr;
  }
  const auto rule = Eswitch::instance().create(port_id, *attr, pattern, actions);
  if (rule) return reinterpret_cast<rte_flow*>(*rule);
  answer(rule.error(), error);
  return nullptr;
}

int __wrap_rte_flow_destroy(std::uint16_t port_id, rte_flow* flow, rte_flow_error* error) {
  const auto destroyed = Eswitch::instance().destroy(port_id, rule_of(flow));
  return destroyed ? 0 : answer(destroyed.error(), error);
}

int __wrap_rte_flow_flush(std::uint16_t port_id, rte_flow_error* error) {
  const auto flushed = Eswitch::instance().flush(port_id);
  return flushed ? 0 : answer(flushed.error(), error);
}

int __wrap_rte_flow_query(std::uint16_t port_id, rte_flow* flow, const rte_flow_action* action, void* data,
                          rte_flow_error* error) {
  if (data == nullptr) return answer({EINVAL, RTE_FLOW_ERROR_TYPE_UNSPECIFIED, "NULL data"}, error);
  const auto read = Eswitch::instance().query(port_id, rule_of(flow), action, data);
  return read ? 0 : answer(read.error(), error);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
