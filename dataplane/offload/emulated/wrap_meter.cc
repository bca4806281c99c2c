// SPDX-License-Identifier: Apache-2.0
// Public rte_mtr calls of our own objects arrive here instead of in the driver (-Wl,--wrap).
#include <rte_errno.h>

#include "dataplane/offload/emulated/eswitch.h"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker gives these names
using foreflow::offload::emulated::Call;
using foreflow::offload::emulated::Eswitch;
using foreflow::offload::emulated::MeterAnswer;
using foreflow::offload::emulated::MeterRefusal;
using foreflow::offload::emulated::MeterTable;

namespace {

int answer(const MeterRefusal& refusal, rte_mtr_error* error) {
  if (error != nullptr) *error = {.type = refusal.field, .cause = nullptr, .message = refusal.message};
  rte_errno = refusal.error;
  return -refusal.error;
}

int answer(const MeterAnswer<void>& outcome, rte_mtr_error* error) {
  return outcome ? 0 : answer(outcome.error(), error);
}

constexpr MeterRefusal kNullArgument{EINVAL, RTE_MTR_ERROR_TYPE_UNSPECIFIED, "NULL argument"};

}  // namespace

extern "C" {

int __wrap_rte_mtr_capabilities_get(std::uint16_t port_id, rte_mtr_capabilities* cap, rte_mtr_error* error) {
  if (cap == nullptr) return answer(kNullArgument, error);
  return answer(Eswitch::instance().meters(std::nullopt, port_id,
                                           [&](MeterTable& table) -> MeterAnswer<void> {
                                             *cap = table.capabilities();
                                             return {};
                                           }),
                error);
}

int __wrap_rte_mtr_meter_profile_add(std::uint16_t port_id, std::uint32_t profile_id, rte_mtr_meter_profile* profile,
                                     rte_mtr_error* error) {
  if (profile == nullptr) return answer(kNullArgument, error);
  return answer(
      Eswitch::instance().meters(Call::kProfileAdd, port_id,
                                 [&](MeterTable& table) { return table.add_profile(port_id, profile_id, *profile); }),
      error);
}

int __wrap_rte_mtr_meter_profile_delete(std::uint16_t port_id, std::uint32_t profile_id, rte_mtr_error* error) {
  return answer(
      Eswitch::instance().meters(Call::kProfileDelete, port_id,
                                 [&](MeterTable& table) { return table.delete_profile(port_id, profile_id); }),
      error);
}

int __wrap_rte_mtr_meter_policy_validate(std::uint16_t port_id, rte_mtr_meter_policy_params* policy,
                                         rte_mtr_error* error) {
  if (policy == nullptr) return answer(kNullArgument, error);
  return answer(Eswitch::instance().meters(std::nullopt, port_id,
                                           [&](MeterTable& table) { return table.check_policy(port_id, *policy); }),
                error);
}

int __wrap_rte_mtr_meter_policy_add(std::uint16_t port_id, std::uint32_t policy_id, rte_mtr_meter_policy_params* policy,
                                    rte_mtr_error* error) {
  if (policy == nullptr) return answer(kNullArgument, error);
  return answer(
      Eswitch::instance().meters(Call::kPolicyAdd, port_id,
                                 [&](MeterTable& table) { return table.add_policy(port_id, policy_id, *policy); }),
      error);
}

int __wrap_rte_mtr_meter_policy_delete(std::uint16_t port_id, std::uint32_t policy_id, rte_mtr_error* error) {
  return answer(Eswitch::instance().meters(Call::kPolicyDelete, port_id,
                                           [&](MeterTable& table) { return table.delete_policy(port_id, policy_id); }),
                error);
}

int __wrap_rte_mtr_create(std::uint16_t port_id, std::uint32_t mtr_id, rte_mtr_params* params, int shared,
                          rte_mtr_error* error) {
  if (params == nullptr) return answer(kNullArgument, error);
  return answer(Eswitch::instance().meters(
                    Call::kMeterCreate, port_id,
                    [&](MeterTable& table) { return table.create(port_id, mtr_id, *params, shared != 0); }),
                error);
}

int __wrap_rte_mtr_destroy(std::uint16_t port_id, std::uint32_t mtr_id, rte_mtr_error* error) {
  return answer(Eswitch::instance().meters(Call::kMeterDestroy, port_id,
                                           [&](MeterTable& table) { return table.destroy(port_id, mtr_id); }),
                error);
}

int __wrap_rte_mtr_meter_profile_update(std::uint16_t port_id, std::uint32_t mtr_id, std::uint32_t profile_id,
                                        rte_mtr_error* error) {
  auto& device = Eswitch::instance();
  return answer(
      device.meters(Call::kMeterUpdate, port_id,
                    [&](MeterTable& table) { return table.update(port_id, mtr_id, profile_id, device.of_change()); }),
      error);
}

int __wrap_rte_mtr_stats_read(std::uint16_t port_id, std::uint32_t mtr_id, rte_mtr_stats* stats,
                              std::uint64_t* stats_mask, int clear, rte_mtr_error* error) {
  if (stats == nullptr || stats_mask == nullptr) return answer(kNullArgument, error);
  const auto read = Eswitch::instance().meters(
      Call::kMeterStats, port_id, [&](MeterTable& table) { return table.read(port_id, mtr_id, clear != 0); });
  if (!read) return answer(read.error(), error);
  *stats = *read;
  *stats_mask = RTE_MTR_STATS_N_PKTS_DROPPED | RTE_MTR_STATS_N_BYTES_DROPPED;
  return 0;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
