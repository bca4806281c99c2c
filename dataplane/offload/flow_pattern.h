// SPDX-License-Identifier: Apache-2.0
// A Rule in the form that rte_flow_create takes: attribute, items and actions, with the storage they point into.
// Place: dataplane/offload, below TransferDomain.
#pragma once
#include <array>

#include <rte_flow.h>

#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {

// Invariant: `items` and `actions` point into this object, so it does not move.
class FlowPattern {
 public:
  explicit FlowPattern(const Rule& rule);
  FlowPattern(const FlowPattern&) = delete;
  FlowPattern& operator=(const FlowPattern&) = delete;

  const rte_flow_attr& attr() const { return attr_; }
  const rte_flow_item* items() const { return items_.data(); }
  const rte_flow_action* actions() const { return actions_.data(); }

 private:
  void match_port(const RuleMatch& match);
  void match_addresses(const RuleMatch& match);
  void match_vlan(const RuleMatch& match);
  void match_ipv4(const HeaderMatch& match);
  void match_ipv6(const HeaderMatch& match);
  void match_transport(const HeaderMatch& match);
  void act(const Rule& rule);
  void match_metadata();
  void mark(std::uint8_t dscp, std::uint8_t ip_version);
  void write_metadata(const MetadataField& field);
  void mirror(std::uint16_t port_id, std::uint32_t one_in);
  void end(const Rule& rule);
  void add_item(rte_flow_item_type type, const void* spec, const void* mask);
  void add_action(rte_flow_action_type type, const void* conf);

  static constexpr std::size_t kMostItems = 7;    // port, META, ETH, VLAN, IP, TCP or UDP, END
  static constexpr std::size_t kMostActions = 7;  // COUNT, AGE, MODIFY_FIELD (twice), SAMPLE, where to, END
  rte_flow_attr attr_{};
  std::array<rte_flow_item, kMostItems> items_{};
  std::array<rte_flow_action, kMostActions> actions_{};
  std::size_t item_count_ = 0;
  std::size_t action_count_ = 0;

  rte_flow_item_ethdev port_{};
  rte_flow_item_ethdev port_mask_{};
  rte_flow_item_meta meta_{};
  rte_flow_item_meta meta_mask_{};
  rte_flow_item_eth eth_{};
  rte_flow_item_eth eth_mask_{};
  rte_flow_item_vlan vlan_{};
  rte_flow_item_vlan vlan_mask_{};
  rte_flow_item_ipv4 ipv4_{};
  rte_flow_item_ipv4 ipv4_mask_{};
  rte_flow_item_ipv6 ipv6_{};
  rte_flow_item_ipv6 ipv6_mask_{};
  rte_flow_item_tcp tcp_{};
  rte_flow_item_tcp tcp_mask_{};
  rte_flow_item_udp udp_{};
  rte_flow_item_udp udp_mask_{};
  rte_flow_action_count count_{};
  rte_flow_action_meter meter_{};
  rte_flow_action_jump jump_{};
  rte_flow_action_age age_{};
  rte_flow_action_modify_field modify_{};
  rte_flow_action_modify_field modify_metadata_{};
  rte_flow_action_sample sample_{};
  rte_flow_action_ethdev mirror_port_{};
  rte_flow_action_ethdev out_port_{};
  std::array<rte_flow_action, 2> of_the_copy_{};  // END is 0
};

}  // namespace foreflow::offload
