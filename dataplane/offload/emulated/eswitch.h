// SPDX-License-Identifier: Apache-2.0
// The emulated device: its tables, what is done to them, and what they do to packets.
// Place: dataplane/offload/emulated; the wrapped calls end here.
// Thread safety: every function from any thread; receive() by one thread per queue.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>

#include <rte_ethdev.h>

#include "dataplane/offload/emulated/device_clock.h"
#include "dataplane/offload/emulated/device_memory.h"
#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/emulated/gate.h"
#include "dataplane/offload/emulated/group.h"
#include "dataplane/offload/emulated/meter_table.h"
#include "dataplane/offload/emulated/refusal.h"
#include "dataplane/offload/emulated/rule_check.h"

namespace foreflow::offload::emulated {

class Eswitch {
 public:
  // The device of this process, configured by the environment on first use.
  static Eswitch& instance();

  void reset(const EswitchConfig& config);
  void inject(const Failure& failure);
  void lose_all();
  void set_clock(std::uint64_t (*now_ns)());
  Usage usage();

  // Receive queues of a port pass their packets through the tables from now on.
  void attach(std::uint16_t port);
  // The port closes: its callbacks, rules and meters are gone.
  void detach(std::uint16_t port);

  FlowAnswer<std::uint16_t> proxy_of(std::uint16_t port);
  FlowAnswer<void> validate(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                            const rte_flow_action* actions);
  FlowAnswer<Rule*> create(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                           const rte_flow_action* actions);
  FlowAnswer<void> destroy(std::uint16_t port, Rule* rule);
  FlowAnswer<void> flush(std::uint16_t port);
  // `out`: rte_flow_query_count or rte_flow_query_age, as `action` says.
  FlowAnswer<void> query(std::uint16_t port, Rule* rule, const rte_flow_action* action, void* out);

  // Runs `operation` on the meter tables, unless `call` is to fail or `port` is not the proxy.
  template <typename Operation>
  auto meters(std::optional<Call> call, std::uint16_t port, Operation&& operation)
      -> decltype(operation(std::declval<MeterTable&>())) {
    const std::lock_guard locked(mutex_);
    if (auto refused = refusal_of(call, port)) {
      return refuse(refused->error, RTE_MTR_ERROR_TYPE_UNSPECIFIED, refused->message);
    }
    return operation(state_->meters);
  }
  std::uint64_t of_change() const { return state_->clock.of_change(); }

  // Keeps the packets that the tables lead to the CPU at the front of `packets`; the others are sent or freed.
  std::uint16_t receive(std::uint16_t port, Gate::Reader& reader, rte_mbuf** packets, std::uint16_t count);

 private:
  struct Refused {
    int error;
    const char* message;
  };
  struct State {
    State(const EswitchConfig& its_config, DeviceMemory its_memory);
    Group& group(std::uint32_t number);
    // Puts a rule into the tables; null when one with this match and priority is there.
    Rule* install(std::uint16_t owner, const RuleDraft& draft);
    // What the device's last owner left.
    void restore(const std::vector<Record>& records);
    void restore(const ProfileRecord& record);
    void restore(const PolicyRecord& record);
    void restore(const MeterRecord& record);
    void restore(const RuleRecord& record) { install(record.port, record.draft); }
    EswitchConfig config;
    DeviceMemory memory;
    DeviceClock clock;
    std::map<std::uint32_t, std::unique_ptr<Group>> groups;
    MeterTable meters;
    std::unordered_map<Rule*, std::unique_ptr<Rule>> rules;
  };
  struct Queue {
    Gate::Reader* reader = nullptr;
    const rte_eth_rxtx_callback* callback = nullptr;  // null while detached
  };

  Eswitch();
  // Callers hold mutex_. A device whose memory cannot be had refuses everything.
  void build(const EswitchConfig& config);
  std::optional<Refused> refusal_of(std::optional<Call> call, std::uint16_t port);
  std::optional<std::uint16_t> proxy() const;
  FlowAnswer<RuleDraft> check(std::uint16_t port, const rte_flow_attr& attr, const rte_flow_item* items,
                              const rte_flow_action* actions);
  FlowAnswer<void> check_meter(std::uint16_t port, const RuleDraft& draft);
  FlowAnswer<void> query_count(Rule& rule, rte_flow_query_count& out);
  FlowAnswer<void> query_age(const Rule& rule, rte_flow_query_age& out) const;
  FlowAnswer<void> check_rule(std::uint16_t port, const Rule* rule) const;
  void remove(Rule& rule);
  void remove_rules_of(std::uint16_t port);
  void forget_all();

  // Where a packet ends.
  enum class End : std::uint8_t { kCpu, kDropped, kSent };
  End lead(PacketKey key, rte_mbuf& packet);
  static End deliver(std::uint32_t metadata, rte_mbuf& packet);
  static void mirror(const rte_mbuf& packet, std::uint16_t port);

  std::mutex mutex_;  // management
  Gate gate_;
  std::unique_ptr<State> state_;
  std::atomic<bool> active_{false};                                  // there are rules; writer: management
  std::map<std::pair<std::uint16_t, std::uint16_t>, Queue> queues_;  // by port and queue
  const char* misconfigured_ = nullptr;
};

}  // namespace foreflow::offload::emulated
