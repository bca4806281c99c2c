// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/meter_table.h"

#include <cerrno>
#include <limits>

#include <rte_cycles.h>

namespace foreflow::offload::emulated {
namespace {

constexpr std::uint64_t kLargestRate = 255'000'000'000 / 8;  // bytes per second
constexpr std::uint64_t kLargestBurst = std::uint64_t{255} << 31;
constexpr std::uint64_t kDropStats = RTE_MTR_STATS_N_PKTS_DROPPED | RTE_MTR_STATS_N_BYTES_DROPPED;
constexpr std::uint32_t kNoId = std::numeric_limits<std::uint32_t>::max();
constexpr int kLongestChain = 8;

class Locked {
 public:
  explicit Locked(rte_spinlock_t& lock) : lock_(lock) { rte_spinlock_lock(&lock_); }
  ~Locked() { rte_spinlock_unlock(&lock_); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  rte_spinlock_t& lock_;
};

rte_color rte_colour(Colour colour) {
  return colour == Colour::kGreen ? RTE_COLOR_GREEN : colour == Colour::kYellow ? RTE_COLOR_YELLOW : RTE_COLOR_RED;
}

// `colour`: of the meter before in, this one's out.
Fate police_once(Meter& meter, std::uint32_t bytes, std::uint64_t now_ns, Colour& colour) {
  const Locked locked(meter.lock);
  colour = meter.bucket.colour(bytes, now_ns, meter.record.colour_aware ? colour : Colour::kGreen);
  const auto fate = meter.policy->fates.at(rte_colour(colour));
  if (fate.kind == Fate::Kind::kDrop && meter.counts_drops()) {
    ++meter.dropped_packets;
    meter.dropped_bytes += bytes;
  }
  return fate;
}

}  // namespace

Fate police(Meter& meter, std::uint32_t bytes, std::uint64_t now_ns) {
  auto colour = Colour::kGreen;
  auto fate = police_once(meter, bytes, now_ns, colour);
  for (int links = 1; fate.kind == Fate::Kind::kMeter && links < kLongestChain; ++links) {
    fate = police_once(*fate.meter, bytes, now_ns, colour);
  }
  return fate.kind == Fate::Kind::kMeter ? Fate{.kind = Fate::Kind::kDrop} : fate;
}

rte_mtr_capabilities MeterTable::capabilities() const {
  rte_mtr_capabilities found{};
  found.n_max = found.n_shared_max = found.meter_trtcm_rfc2698_n_max = capacity_;
  found.identical = found.shared_identical = 1;
  found.shared_n_flows_per_mtr_max = std::numeric_limits<std::uint32_t>::max();
  found.chaining_n_mtrs_per_flow_max = kLongestChain;
  found.chaining_use_prev_mtr_color_supported = colour_aware_ ? 1 : 0;
  found.meter_rate_max = kLargestRate;
  found.meter_policy_n_max = capacity_;
  found.trtcm_rfc2698_byte_mode_supported = 1;
  found.stats_mask = kDropStats;
  return found;
}

MeterAnswer<void> MeterTable::add_profile(std::uint16_t port, std::uint32_t id, const rte_mtr_meter_profile& profile) {
  if (id == kNoId) return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile id not valid.");
  if (profiles_.contains({port, id})) {
    return refuse(EEXIST, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile already exists.");
  }
  if (profile.alg != RTE_MTR_TRTCM_RFC2698 || profile.packet_mode != 0) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_PROFILE, "Only two-rate byte meters (RFC 2698) are emulated.");
  }
  const auto& asked = profile.trtcm_rfc2698;
  if (asked.pir < asked.cir) return refuse(EINVAL, RTE_MTR_ERROR_TYPE_METER_PROFILE, "PIR is below CIR.");
  if (asked.pir > kLargestRate) return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_PROFILE, "Rate is above the largest.");
  if (asked.cbs > kLargestBurst || asked.pbs > kLargestBurst) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_PROFILE, "Burst is above the largest.");
  }
  const TwoRateProfile rates{.cir = hardware_rate(asked.cir * 8),
                             .pir = hardware_rate(asked.pir * 8),
                             .cbs = hardware_burst(asked.cbs),
                             .pbs = hardware_burst(asked.pbs)};
  const auto slot = memory_.put(ProfileRecord{port, id, asked.cir, asked.pir, asked.cbs, asked.pbs});
  profiles_.emplace(Id{port, id}, MeterProfile{.rates = rates, .slot = slot});
  return {};
}

MeterAnswer<void> MeterTable::delete_profile(std::uint16_t port, std::uint32_t id) {
  const auto it = profiles_.find({port, id});
  if (it == profiles_.end()) {
    return refuse(ENOENT, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile id is invalid.");
  }
  if (it->second.users > 0) return refuse(EBUSY, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile is in use.");
  memory_.erase(it->second.slot);
  profiles_.erase(it);
  return {};
}

MeterAnswer<Fate> MeterTable::compile(std::uint16_t port, const rte_flow_action* actions) const {
  for (; actions != nullptr && actions->type != RTE_FLOW_ACTION_TYPE_END; ++actions) {
    switch (actions->type) {
      case RTE_FLOW_ACTION_TYPE_VOID:
        continue;
      case RTE_FLOW_ACTION_TYPE_DROP:
        return Fate{.kind = Fate::Kind::kDrop};
      case RTE_FLOW_ACTION_TYPE_JUMP: {
        const auto number = static_cast<const rte_flow_action_jump*>(actions->conf)->group;
        return Fate{.kind = Fate::Kind::kJump, .target = number, .group = &group_(number)};
      }
      case RTE_FLOW_ACTION_TYPE_METER: {
        const auto number = static_cast<const rte_flow_action_meter*>(actions->conf)->mtr_id;
        const auto next = meters_.find({port, number});
        if (next == meters_.end()) {
          return refuse(ENOENT, RTE_MTR_ERROR_TYPE_METER_POLICY, "Meter of a hierarchy does not exist.");
        }
        return Fate{.kind = Fate::Kind::kMeter, .target = number, .meter = next->second.get()};
      }
      default:
        return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_POLICY, "Action is not supported in a meter policy.");
    }
  }
  return Fate{};
}

MeterAnswer<MeterPolicy> MeterTable::compile(std::uint16_t port, const rte_mtr_meter_policy_params& params) const {
  MeterPolicy policy;
  for (std::size_t colour = 0; colour < RTE_COLORS; ++colour) {
    const auto fate = compile(port, params.actions[colour]);
    if (!fate) return tl::unexpected(fate.error());
    policy.fates.at(colour) = *fate;
  }
  if (policy.fates[RTE_COLOR_RED].kind != Fate::Kind::kDrop) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_POLICY, "Red color only supports drop action.");
  }
  return policy;
}

MeterAnswer<void> MeterTable::check_policy(std::uint16_t port, const rte_mtr_meter_policy_params& params) const {
  if (const auto policy = compile(port, params); !policy) return tl::unexpected(policy.error());
  return {};
}

MeterAnswer<void> MeterTable::add_policy(std::uint16_t port, std::uint32_t id,
                                         const rte_mtr_meter_policy_params& params) {
  if (id == kNoId) return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_POLICY_ID, "policy ID is invalid. ");
  if (policies_.contains({port, id})) {
    return refuse(EEXIST, RTE_MTR_ERROR_TYPE_METER_POLICY_ID, "policy ID exists. ");
  }
  auto policy = compile(port, params);
  if (!policy) return tl::unexpected(policy.error());
  PolicyRecord record{.port = port, .id = id, .fates = {}, .targets = {}};
  for (std::size_t colour = 0; colour < RTE_COLORS; ++colour) {
    const auto& fate = policy->fates.at(colour);
    record.fates.at(colour) = fate.kind;
    record.targets.at(colour) = fate.target;
    if (fate.meter != nullptr) ++fate.meter->users;
  }
  policy->slot = memory_.put(record);
  policies_.emplace(Id{port, id}, *policy);
  return {};
}

MeterAnswer<void> MeterTable::delete_policy(std::uint16_t port, std::uint32_t id) {
  const auto it = policies_.find({port, id});
  if (it == policies_.end()) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_METER_POLICY_ID, "Meter policy id is invalid. ");
  }
  if (it->second.users > 0)
    return refuse(EBUSY, RTE_MTR_ERROR_TYPE_METER_POLICY_ID, "Meter policy object is being used.");
  for (const auto& fate : it->second.fates) {
    if (fate.meter != nullptr) --fate.meter->users;
  }
  memory_.erase(it->second.slot);
  policies_.erase(it);
  return {};
}

MeterAnswer<void> MeterTable::create(std::uint16_t port, std::uint32_t id, const rte_mtr_params& params, bool shared) {
  if (id == kNoId) return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_MTR_ID, "Meter object id not valid.");
  if (meters_.contains({port, id})) return refuse(EEXIST, RTE_MTR_ERROR_TYPE_MTR_ID, "Meter object already exists.");
  if ((params.stats_mask & ~kDropStats) != 0) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_STATS_MASK, "Meters count drops only.");
  }
  if (params.use_prev_mtr_color != 0 && !colour_aware_) {
    return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_MTR_PARAMS, "Previous meter color not supported.");
  }
  const auto profile = profiles_.find({port, params.meter_profile_id});
  if (profile == profiles_.end()) {
    return refuse(ENOENT, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile id not valid.");
  }
  const auto policy = policies_.find({port, params.meter_policy_id});
  if (policy == policies_.end()) {
    return refuse(ENOENT, RTE_MTR_ERROR_TYPE_METER_POLICY_ID, "Meter policy id not valid.");
  }
  if (meters_.size() >= capacity_) {
    return refuse(ENOSPC, RTE_MTR_ERROR_TYPE_UNSPECIFIED, "No more meter objects in the device.");
  }
  auto meter = std::make_unique<Meter>(profile->second.rates, policy->second, profile->second);
  meter->record = {.port = port,
                   .id = id,
                   .profile = params.meter_profile_id,
                   .policy = params.meter_policy_id,
                   .shared = shared,
                   .counts_drops = params.stats_mask != 0,
                   .colour_aware = params.use_prev_mtr_color != 0};
  meter->slot = memory_.put(meter->record);
  ++profile->second.users;
  ++policy->second.users;
  meters_.emplace(Id{port, id}, std::move(meter));
  return {};
}

MeterAnswer<void> MeterTable::destroy(std::uint16_t port, std::uint32_t id) {
  const auto it = meters_.find({port, id});
  if (it == meters_.end()) return refuse(ENOENT, RTE_MTR_ERROR_TYPE_MTR_ID, "Meter object id not valid.");
  if (it->second->users > 0) return refuse(EBUSY, RTE_MTR_ERROR_TYPE_UNSPECIFIED, "Meter object is being used.");
  --it->second->profile->users;
  --it->second->policy->users;
  memory_.erase(it->second->slot);
  meters_.erase(it);
  return {};
}

MeterAnswer<void> MeterTable::update(std::uint16_t port, std::uint32_t id, std::uint32_t profile,
                                     std::uint64_t now_ns) {
  auto* meter = find(port, id);
  if (meter == nullptr) return refuse(ENOENT, RTE_MTR_ERROR_TYPE_MTR_ID, "Meter object id not valid.");
  rte_delay_us_block(update_delay_us_);
  const auto next = profiles_.find({port, profile});
  if (next == profiles_.end()) {
    return refuse(ENOENT, RTE_MTR_ERROR_TYPE_METER_PROFILE_ID, "Meter profile id not valid.");
  }
  --meter->profile->users;
  ++next->second.users;
  meter->profile = &next->second;
  meter->record.profile = profile;
  memory_.replace(meter->slot, meter->record);
  const Locked locked(meter->lock);
  meter->bucket.retune(next->second.rates, now_ns);
  return {};
}

MeterAnswer<rte_mtr_stats> MeterTable::read(std::uint16_t port, std::uint32_t id, bool clear) {
  auto* meter = find(port, id);
  if (meter == nullptr) return refuse(ENOENT, RTE_MTR_ERROR_TYPE_MTR_ID, "Meter object id not valid.");
  if (!meter->counts_drops()) return refuse(ENOTSUP, RTE_MTR_ERROR_TYPE_STATS, "Meter object has no counters.");
  const Locked locked(meter->lock);
  rte_mtr_stats stats{};
  stats.n_pkts_dropped = meter->dropped_packets;
  stats.n_bytes_dropped = meter->dropped_bytes;
  if (clear) meter->dropped_packets = meter->dropped_bytes = 0;
  return stats;
}

Meter* MeterTable::find(std::uint16_t port, std::uint32_t id) {
  const auto it = meters_.find({port, id});
  return it == meters_.end() ? nullptr : it->second.get();
}

void MeterTable::forget(std::uint16_t port) {
  const auto forget_in = [&](auto& table, auto slot_of) {
    std::erase_if(table, [&](const auto& entry) {
      if (entry.first.first != port) return false;
      memory_.erase(slot_of(entry.second));
      return true;
    });
  };
  forget_in(meters_, [](const auto& meter) { return meter->slot; });
  forget_in(policies_, [](const auto& policy) { return policy.slot; });
  forget_in(profiles_, [](const auto& profile) { return profile.slot; });
}

Usage MeterTable::usage() const {
  return {.rules = 0, .meters = meters_.size(), .profiles = profiles_.size(), .policies = policies_.size()};
}

}  // namespace foreflow::offload::emulated
