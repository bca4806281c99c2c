// SPDX-License-Identifier: Apache-2.0
// Intents in the eSwitch of mlx5-class devices. Limits are one meter per VM and direction, carried by every rule
// through which the VM's packets pass, whether they come from the uplink or from a local VM; treatments stand before
// them. Place: dataplane/offload. Thread safety: control thread only.
//
// Rules are in the transfer domain, because only there one meter sees all sources of a VM's traffic: a NIC-ingress rule
// on the VM's representor would see what the VM sends, but nothing sees what local VMs send to it. Each meter's policy
// jumps to the next group instead of ending, because a packet between two local VMs must pass two meters and a rule
// takes one. A miss in the last group delivers to the port's representor, so that everything still goes to the CPU
// pipeline:
//
//   group 0  port P                      -> JUMP 1
//   group 1  port P, source MAC, ...     -> COUNT, a treatment of what a VM sends, DROP or JUMP 2
//   group 2  port P, source MAC (VLAN)   -> COUNT, egress METER (green, yellow: JUMP 3; red: DROP)
//   group 3  port S, destination MAC, .. -> COUNT, a treatment of what reaches a VM, DROP or JUMP 4
//   group 4  port S, destination MAC     -> COUNT, ingress METER (green, yellow: JUMP 5; red: DROP)
//   group 5  empty; rules that bypass the CPU find their place here
//   1 to 4   port P, weakest priority    -> JUMP to the next group
//
// What is to be steered goes to the CPU with a mark in its metadata (steering.h), written in groups 1 and 3: the
// E-Switch knows no queues, and a packet that left from group 1 would not pass its VM's meter. What leaves by another
// port than its address leads to jumps from group 3 to group 5, so that it is not metered for its addressee.
//
// What a device must prove by canary: a policy with JUMP, a shared drop-counting meter in the transfer domain, COUNT
// beside it, a live profile change. That a miss in a group above 0 reaches the representor only traffic can prove.
// Rules are left in the device by the destructor: a restart must not lift the limits. A device that was reset has lost
// them; read_stats() notices, and holds() then says so of every intent.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "dataplane/offload/backend.h"
#include "dataplane/offload/flow_rules.h"
#include "dataplane/offload/groups.h"
#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {

class RteFlowBackend final : public OffloadBackend {
 public:
  Result<std::size_t> reconcile(const std::vector<std::uint16_t>& port_ids) override;
  wire::Capabilities probe(const std::vector<std::uint16_t>& port_ids) override;
  std::vector<wire::IntentResult> apply(const IntentDelta& delta) override;
  std::vector<wire::IntentStats> read_stats() override;
  bool holds(IntentId id) const override;
  FlowOffload* flows() override { return &flows_; }
  std::optional<std::string> explain(IntentId id) const override;

 private:
  struct InstalledRule {
    rte_flow* flow = nullptr;
    std::uint32_t priority = 0;
  };
  using Rules = std::map<RuleMatch, InstalledRule>;
  struct Installed {
    TransferDomain* domain = nullptr;
    ResolvedIntent resolved;
    std::optional<MeterHandle> meter = std::nullopt;  // of a limit
    Rules rules = {};
    Tally of_removed_rules = {};
    wire::IntentStats last;         // what was told so far: totals never run backwards
    wire::IntentStats before = {};  // counted by the rules that these replaced
    bool clearing = false;
  };
  // The way of a port's packets through the groups; there while an intent needs it.
  struct Route {
    TransferDomain* domain = nullptr;
    unsigned users = 0;
    std::array<rte_flow*, kDeliveryGroup> hops{};  // by the group that they lead out of
    rte_flow* diversion = nullptr;                 // there once some VM's packets are led to another port
  };

  Result<TransferDomain*> domain_of(const ResolvedIntent& intent) const;
  Status can_steer(const ResolvedIntent& intent) const;
  Status set(const ResolvedIntent& intent);
  Status install(const ResolvedIntent& intent, TransferDomain& domain);
  Status replace(Installed& installed, const ResolvedIntent& intent, TransferDomain& domain);
  Result<Installed> make(const ResolvedIntent& intent, TransferDomain& domain);
  Status change(Installed& installed, const ResolvedIntent& intent);
  Status create_rules(Installed& installed, const std::vector<RuleMatch>& wanted);
  Status destroy_rules(Installed& installed, const std::vector<RuleMatch>& kept);
  Status create_rule(Installed& installed, const RuleMatch& match);
  Status destroy_rule(Installed& installed, Rules::iterator rule);
  Status clear(Installed& installed);
  Result<std::uint32_t> free_priority(const ResolvedIntent& intent, const RuleMatch& match) const;
  Status acquire_route(TransferDomain& domain, std::uint16_t port_id);
  Status divert(std::uint16_t port_id);
  Status release_route(std::uint16_t port_id);
  void sweep_routes();
  FlowRules::Ports ports_of_flows();
  struct Counted {
    Tally tally;
    bool idle = false;
  };
  static std::optional<Counted> count_rules(const Installed& installed);
  bool answers_for_nothing() const;
  void forget_what_is_lost();
  std::string ways_past_the_cpu(const Installed& installed) const;
  std::optional<wire::IntentStats> stats_of(Installed& installed) const;

  std::map<std::uint16_t, std::unique_ptr<TransferDomain>> domains_;  // by proxy port
  std::map<std::uint16_t, TransferDomain*> usable_;                   // ports that passed the canary
  std::map<std::uint16_t, std::string> unusable_;                     // and why the others did not
  std::string lending_;                                               // what the device could do, for people
  std::map<IntentId, Installed> installed_;
  unsigned silent_reads_ = 0;         // one after the other, in which the device knew nothing of what it holds
  std::vector<Installed> leftovers_;  // of former intents, that the device did not give up yet
  std::map<std::uint16_t, std::string> no_bypass_;    // ports that carry no flows, and why
  std::map<std::uint16_t, std::string> no_metadata_;  // ports that cannot tell the pipeline where to steer, and why
  FlowRules flows_{ports_of_flows()};
  std::map<std::uint16_t, Route> routes_;
  std::set<std::tuple<std::uint32_t, RuleMatch, std::uint32_t>> taken_;  // group, match, priority
};

}  // namespace foreflow::offload
