// SPDX-License-Identifier: Apache-2.0
// Profiles, policies and meters of the emulated device, with rte_mtr's life cycle: what is in use is not deleted.
// Place: dataplane/offload/emulated. Thread safety: calls of the management API one at a time (Eswitch's mutex);
// police() by any number of receiving threads beside update(), which the meter's lock orders.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include <rte_mtr.h>
#include <rte_spinlock.h>

#include "dataplane/offload/emulated/device_memory.h"
#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/emulated/group.h"
#include "dataplane/offload/emulated/refusal.h"
#include "dataplane/offload/emulated/two_rate_bucket.h"

namespace foreflow::offload::emulated {

// What becomes of packets of one colour.
struct Fate {
  using Kind = FateKind;
  Kind kind = Kind::kEnd;
  std::uint32_t target = 0;  // the group's or the meter's number
  Group* group = nullptr;
  Meter* meter = nullptr;
};

struct MeterProfile {
  TwoRateProfile rates;
  DeviceMemory::Slot slot = DeviceMemory::kNowhere;
  std::size_t users = 0;
};

struct MeterPolicy {
  std::array<Fate, RTE_COLORS> fates;
  DeviceMemory::Slot slot = DeviceMemory::kNowhere;
  std::size_t users = 0;
  bool ends() const { return fates[RTE_COLOR_GREEN].kind == Fate::Kind::kEnd; }
};

struct Meter {
  Meter(const TwoRateProfile& rates, MeterPolicy& its_policy, MeterProfile& its_profile)
      : bucket(rates), policy(&its_policy), profile(&its_profile) {}

  rte_spinlock_t lock = RTE_SPINLOCK_INITIALIZER;
  TwoRateBucket bucket;
  MeterPolicy* policy;
  MeterProfile* profile;
  MeterRecord record{};
  DeviceMemory::Slot slot = DeviceMemory::kNowhere;
  bool shared() const { return record.shared; }
  bool counts_drops() const { return record.counts_drops; }
  std::uint64_t dropped_packets = 0;
  std::uint64_t dropped_bytes = 0;
  std::size_t users = 0;  // rules, and policies that lead here
};

// The last fate after all chained meters; never kMeter.
Fate police(Meter& meter, std::uint32_t bytes, std::uint64_t now_ns);

class MeterTable {
 public:
  // Groups come into being when something first leads to them.
  using FindGroup = std::function<Group&(std::uint32_t number)>;
  MeterTable(const EswitchConfig& config, DeviceMemory& memory, FindGroup group)
      : capacity_(config.meters),
        colour_aware_(config.colour_aware),
        update_delay_us_(config.update_delay_us),
        memory_(memory),
        group_(std::move(group)) {}

  rte_mtr_capabilities capabilities() const;
  MeterAnswer<void> add_profile(std::uint16_t port, std::uint32_t id, const rte_mtr_meter_profile& profile);
  MeterAnswer<void> delete_profile(std::uint16_t port, std::uint32_t id);
  MeterAnswer<void> add_policy(std::uint16_t port, std::uint32_t id, const rte_mtr_meter_policy_params& params);
  MeterAnswer<void> check_policy(std::uint16_t port, const rte_mtr_meter_policy_params& params) const;
  MeterAnswer<void> delete_policy(std::uint16_t port, std::uint32_t id);
  MeterAnswer<void> create(std::uint16_t port, std::uint32_t id, const rte_mtr_params& params, bool shared);
  MeterAnswer<void> destroy(std::uint16_t port, std::uint32_t id);
  MeterAnswer<void> update(std::uint16_t port, std::uint32_t id, std::uint32_t profile, std::uint64_t now_ns);
  MeterAnswer<rte_mtr_stats> read(std::uint16_t port, std::uint32_t id, bool clear);

  Meter* find(std::uint16_t port, std::uint32_t id);
  // Everything of a port that was closed; its rules are gone already.
  void forget(std::uint16_t port);
  Usage usage() const;

 private:
  using Id = std::pair<std::uint16_t, std::uint32_t>;  // port, id

  MeterAnswer<MeterPolicy> compile(std::uint16_t port, const rte_mtr_meter_policy_params& params) const;
  MeterAnswer<Fate> compile(std::uint16_t port, const rte_flow_action* actions) const;

  std::uint32_t capacity_;
  bool colour_aware_;
  std::uint32_t update_delay_us_;
  DeviceMemory& memory_;
  FindGroup group_;
  std::map<Id, MeterProfile> profiles_;
  std::map<Id, MeterPolicy> policies_;
  std::map<Id, std::unique_ptr<Meter>> meters_;
};

}  // namespace foreflow::offload::emulated
