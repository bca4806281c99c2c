// SPDX-License-Identifier: Apache-2.0
// A device that kept its contents takes them up again, by the calls that once made them.
#include "common/log.h"
#include "dataplane/offload/emulated/eswitch.h"

namespace foreflow::offload::emulated {
namespace {

// The action that leads to a policy's fate, with the storage it points into.
struct FateActions {
  FateActions(FateKind kind, std::uint32_t target) : jump{.group = target}, meter{.mtr_id = target} {
    switch (kind) {
      case FateKind::kEnd:
        break;
      case FateKind::kDrop:
        actions[0].type = RTE_FLOW_ACTION_TYPE_DROP;
        break;
      case FateKind::kJump:
        actions[0] = {.type = RTE_FLOW_ACTION_TYPE_JUMP, .conf = &jump};
        break;
      case FateKind::kMeter:
        actions[0] = {.type = RTE_FLOW_ACTION_TYPE_METER, .conf = &meter};
        break;
    }
  }
  FateActions(const FateActions&) = delete;
  FateActions& operator=(const FateActions&) = delete;

  rte_flow_action_jump jump;
  rte_flow_action_meter meter;
  std::array<rte_flow_action, 2> actions{};  // END is 0
};

void note(const MeterAnswer<void>& restored) {
  if (!restored) log::error("the emulated eSwitch lost something it kept", {{"reason", restored.error().message}});
}

}  // namespace

void Eswitch::State::restore(const std::vector<Record>& records) {
  for (const auto& record : records) std::visit([this](const auto& one) { restore(one); }, record);
}

void Eswitch::State::restore(const ProfileRecord& record) {
  rte_mtr_meter_profile profile{};
  profile.alg = RTE_MTR_TRTCM_RFC2698;
  profile.trtcm_rfc2698 = {.cir = record.cir, .pir = record.pir, .cbs = record.cbs, .pbs = record.pbs};
  note(meters.add_profile(record.port, record.id, profile));
}

void Eswitch::State::restore(const PolicyRecord& record) {
  const FateActions green(record.fates[RTE_COLOR_GREEN], record.targets[RTE_COLOR_GREEN]);
  const FateActions yellow(record.fates[RTE_COLOR_YELLOW], record.targets[RTE_COLOR_YELLOW]);
  const FateActions red(record.fates[RTE_COLOR_RED], record.targets[RTE_COLOR_RED]);
  rte_mtr_meter_policy_params params{};
  params.actions[RTE_COLOR_GREEN] = green.actions.data();
  params.actions[RTE_COLOR_YELLOW] = yellow.actions.data();
  params.actions[RTE_COLOR_RED] = red.actions.data();
  note(meters.add_policy(record.port, record.id, params));
}

void Eswitch::State::restore(const MeterRecord& record) {
  rte_mtr_params params{};
  params.meter_profile_id = record.profile;
  params.meter_policy_id = record.policy;
  params.meter_enable = 1;
  params.stats_mask = record.counts_drops ? RTE_MTR_STATS_N_PKTS_DROPPED | RTE_MTR_STATS_N_BYTES_DROPPED : 0;
  params.use_prev_mtr_color = record.colour_aware ? 1 : 0;
  note(meters.create(record.port, record.id, params, record.shared));
}

}  // namespace foreflow::offload::emulated
