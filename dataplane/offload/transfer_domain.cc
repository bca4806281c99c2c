// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/transfer_domain.h"

#include <algorithm>

#include <rte_errno.h>
#include <rte_flow.h>
#include <rte_mtr.h>

#include "dataplane/offload/flow_pattern.h"
#include "dataplane/offload/rate_grid.h"
#include "dataplane/offload/rte_error.h"

namespace foreflow::offload {
namespace {

constexpr std::uint64_t kDropStats = RTE_MTR_STATS_N_PKTS_DROPPED | RTE_MTR_STATS_N_BYTES_DROPPED;

// Each meter alternates between two profile ids of its own, so that a rate change never needs an id of another's.
std::uint32_t first_profile(std::uint32_t meter) { return 2 * meter; }
std::uint32_t other_profile(std::uint32_t profile) { return profile ^ 1u; }

}  // namespace

Result<std::uint16_t> TransferDomain::proxy_of(std::uint16_t port_id) {
  std::uint16_t proxy = 0;
  rte_flow_error error{};
  if (const int rc = rte_flow_pick_transfer_proxy(port_id, &proxy, &error); rc != 0) {
    return refused("rte_flow_pick_transfer_proxy", port_id, error.message, rc);
  }
  return proxy;
}

Status TransferDomain::check_capabilities() {
  rte_mtr_capabilities found{};
  rte_mtr_error error{};
  if (const int rc = rte_mtr_capabilities_get(proxy_, &found, &error); rc != 0) {
    return refused("rte_mtr_capabilities_get", proxy_, error.message, rc);
  }
  if (found.meter_trtcm_rfc2698_n_max == 0) return refused("meters", proxy_, "no two-rate meters (RFC 2698)", ENOTSUP);
  if (found.trtcm_rfc2698_byte_mode_supported == 0) return refused("meters", proxy_, "no meters in bytes", ENOTSUP);
  if (found.n_shared_max == 0) return refused("meters", proxy_, "no meters shared by several rules", ENOTSUP);
  if ((found.stats_mask & kDropStats) != kDropStats) return refused("meters", proxy_, "no drop counters", ENOTSUP);
  return {};
}

Result<rte_flow*> TransferDomain::create(const Rule& rule) {
  const FlowPattern pattern(rule);
  rte_flow_error error{};
  rte_flow* flow = rte_flow_create(proxy_, &pattern.attr(), pattern.items(), pattern.actions(), &error);
  if (flow == nullptr) return refused("rte_flow_create", proxy_, error.message, rte_errno);
  return flow;
}

Status TransferDomain::destroy(rte_flow* rule) {
  rte_flow_error error{};
  if (const int rc = rte_flow_destroy(proxy_, rule, &error); rc != 0) {
    return refused("rte_flow_destroy", proxy_, error.message, rc);
  }
  return {};
}

Result<Tally> TransferDomain::count(rte_flow* rule) {
  const rte_flow_action_count conf{};
  const std::array<rte_flow_action, 2> actions{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_COUNT, .conf = &conf},
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr},
  };
  rte_flow_query_count found{};
  rte_flow_error error{};
  if (const int rc = rte_flow_query(proxy_, rule, actions.data(), &found, &error); rc != 0) {
    return refused("rte_flow_query", proxy_, error.message, rc);
  }
  if (found.hits_set == 0 || found.bytes_set == 0) return refused("rte_flow_query", proxy_, "no counts", ENOTSUP);
  return Tally{.packets = found.hits, .bytes = found.bytes};
}

Result<bool> TransferDomain::is_idle(rte_flow* rule) {
  const rte_flow_action_age conf{};
  const std::array<rte_flow_action, 2> actions{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_AGE, .conf = &conf},
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr},
  };
  rte_flow_query_age found{};
  rte_flow_error error{};
  if (const int rc = rte_flow_query(proxy_, rule, actions.data(), &found, &error); rc != 0) {
    return refused("rte_flow_query", proxy_, error.message, rc);
  }
  return found.aged != 0;
}

Result<MeterHandle> TransferDomain::create_meter(const meter::TwoRate& limit, std::uint32_t next_group) {
  if (free_meters_.empty() && next_meter_ > kMostMeters) {
    return fail(ErrorCode::kExhausted, fmt::format("all {} meter ids are in use", kMostMeters));
  }
  if (const auto added = add_policy(next_group); !added) return tl::unexpected(added.error());
  const auto id = take_meter_id();
  const MeterHandle handle{.id = id, .profile = first_profile(id), .next_group = next_group};
  const auto created = add_profile(handle.profile, limit).and_then([&] { return add_meter(handle); });
  if (!created) {
    free_meters_.push_back(id);
    return tl::unexpected(created.error());
  }
  return handle;
}

Status TransferDomain::add_meter(const MeterHandle& meter, bool colour_aware) {
  rte_mtr_params params{};
  params.meter_profile_id = meter.profile;
  params.meter_policy_id = meter.next_group;
  params.meter_enable = 1;
  params.use_prev_mtr_color = colour_aware ? 1 : 0;
  params.stats_mask = kDropStats;
  rte_mtr_error error{};
  const int rc = rte_mtr_create(proxy_, meter.id, &params, 1, &error);
  if (rc == 0) return {};
  const auto reason = refused("rte_mtr_create", proxy_, error.message, rc);
  rte_mtr_meter_profile_delete(proxy_, meter.profile, &error);
  return reason;
}

Status TransferDomain::update_meter(MeterHandle& meter, const meter::TwoRate& limit) {
  const auto next = other_profile(meter.profile);
  rte_mtr_error error{};
  // Left there only if an earlier deletion failed; nothing uses it.
  rte_mtr_meter_profile_delete(proxy_, next, &error);
  if (auto added = add_profile(next, limit); !added) return added;
  error = {};
  if (const int rc = rte_mtr_meter_profile_update(proxy_, meter.id, next, &error); rc != 0) {
    const auto reason = refused("rte_mtr_meter_profile_update", proxy_, error.message, rc);
    rte_mtr_meter_profile_delete(proxy_, next, &error);
    return reason;
  }
  rte_mtr_meter_profile_delete(proxy_, meter.profile, &error);
  meter.profile = next;
  return {};
}

Status TransferDomain::destroy_meter(const MeterHandle& meter) {
  rte_mtr_error error{};
  if (const int rc = rte_mtr_destroy(proxy_, meter.id, &error); rc != 0 && rc != -ENOENT) {
    return refused("rte_mtr_destroy", proxy_, error.message, rc);
  }
  rte_mtr_meter_profile_delete(proxy_, meter.profile, &error);
  free_meters_.push_back(meter.id);
  return {};
}

Result<Tally> TransferDomain::drops(const MeterHandle& meter) {
  rte_mtr_stats stats{};
  std::uint64_t mask = 0;
  rte_mtr_error error{};
  if (const int rc = rte_mtr_stats_read(proxy_, meter.id, &stats, &mask, 0, &error); rc != 0) {
    return refused("rte_mtr_stats_read", proxy_, error.message, rc);
  }
  if ((mask & kDropStats) != kDropStats) return refused("rte_mtr_stats_read", proxy_, "no drop counts", ENOTSUP);
  return Tally{.packets = stats.n_pkts_dropped, .bytes = stats.n_bytes_dropped};
}

Result<std::size_t> TransferDomain::flush() {
  rte_flow_error flow_error{};
  if (const int rc = rte_flow_flush(proxy_, &flow_error); rc != 0) {
    return refused("rte_flow_flush", proxy_, flow_error.message, rc);
  }
  std::size_t removed = 0;
  rte_mtr_error error{};
  for (std::uint32_t id = 1; id <= kMostMeters; ++id) {
    if (rte_mtr_destroy(proxy_, id, &error) == 0) ++removed;
    rte_mtr_meter_profile_delete(proxy_, first_profile(id), &error);
    rte_mtr_meter_profile_delete(proxy_, other_profile(first_profile(id)), &error);
  }
  for (std::uint32_t id = 0; id < kMostGroups; ++id) rte_mtr_meter_policy_delete(proxy_, id, &error);
  policies_.clear();
  free_meters_.clear();
  next_meter_ = 1;
  return removed;
}

Status TransferDomain::add_profile(std::uint32_t id, const meter::TwoRate& limit) {
  rte_mtr_meter_profile profile{};
  profile.alg = RTE_MTR_TRTCM_RFC2698;
  profile.trtcm_rfc2698.cir = std::min(limit.cir, kLargestMeterRate).value;
  profile.trtcm_rfc2698.pir = std::min(limit.pir, kLargestMeterRate).value;
  profile.trtcm_rfc2698.cbs = limit.cbs.value;
  profile.trtcm_rfc2698.pbs = limit.pbs.value;
  rte_mtr_error error{};
  if (const int rc = rte_mtr_meter_profile_add(proxy_, id, &profile, &error); rc != 0) {
    return refused("rte_mtr_meter_profile_add", proxy_, error.message, rc);
  }
  return {};
}

Status TransferDomain::add_policy(std::uint32_t next_group) {
  if (policies_.contains(next_group)) return {};
  const rte_flow_action_jump jump{.group = next_group};
  const std::array<rte_flow_action, 2> pass{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_JUMP, .conf = &jump},
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr},
  };
  if (auto added = add_policy(next_group, pass.data(), pass.data()); !added) return added;
  policies_.insert(next_group);
  return {};
}

Status TransferDomain::add_policy(std::uint32_t id, const rte_flow_action* green, const rte_flow_action* yellow) {
  const std::array<rte_flow_action, 2> drop{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_DROP, .conf = nullptr},
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_END, .conf = nullptr},
  };
  rte_mtr_meter_policy_params policy{};
  policy.actions[RTE_COLOR_GREEN] = green;
  policy.actions[RTE_COLOR_YELLOW] = yellow;
  policy.actions[RTE_COLOR_RED] = drop.data();
  rte_mtr_error error{};
  if (const int rc = rte_mtr_meter_policy_add(proxy_, id, &policy, &error); rc != 0)
    return refused("rte_mtr_meter_policy_add", proxy_, error.message, rc);
  return {};
}

std::uint32_t TransferDomain::take_meter_id() {
  if (free_meters_.empty()) return next_meter_++;
  const auto id = free_meters_.back();
  free_meters_.pop_back();
  return id;
}

}  // namespace foreflow::offload
