// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/canary.h"

#include "dataplane/offload/groups.h"

namespace foreflow::offload {
namespace {

// The grid's easiest values; nothing is ever metered by them.
constexpr meter::TwoRate kFirstLimit{
    .cir = BytesPerSecond{125'000'000}, .pir = BytesPerSecond{250'000'000}, .cbs = Bytes{65'536}, .pbs = Bytes{65'536}};
constexpr meter::TwoRate kSecondLimit{
    .cir = BytesPerSecond{250'000'000}, .pir = BytesPerSecond{250'000'000}, .cbs = Bytes{65'536}, .pbs = Bytes{65'536}};
constexpr MacAddress kNobody{{0x02, 0, 0, 0, 0, 0}};

Status try_rule(TransferDomain& domain, const MeterHandle& meter, std::uint16_t port_id) {
  const auto flow = domain.create({.group = kCanaryGroup,
                                   .priority = kUntaggedPriority,
                                   .match = {.port_id = port_id, .source = kNobody},
                                   .actions = {.count = true},
                                   .meter = meter.id});
  if (!flow) return tl::unexpected(flow.error());
  const auto counted = domain.count(*flow);
  auto destroyed = domain.destroy(*flow);
  if (!counted) return tl::unexpected(counted.error());
  return destroyed;
}

}  // namespace

Status try_canary(TransferDomain& domain, std::uint16_t port_id) {
  if (auto able = domain.check_capabilities(); !able) return able;
  auto meter = domain.create_meter(kFirstLimit, kDeliveryGroup);
  if (!meter) return tl::unexpected(meter.error());
  auto outcome = try_rule(domain, *meter, port_id);
  if (outcome) outcome = domain.update_meter(*meter, kSecondLimit);
  if (outcome) {
    if (const auto dropped = domain.drops(*meter); !dropped) outcome = tl::unexpected(dropped.error());
  }
  auto destroyed = domain.destroy_meter(*meter);
  return outcome ? destroyed : outcome;
}

Status try_bypass(TransferDomain& domain, std::uint16_t port_id) {
  const auto flow = domain.create({.group = kCanaryGroup,
                                   .priority = kBypassPriority,
                                   .match = {.port_id = port_id, .source = kNobody, .headers = {.ip_version = 4}},
                                   .actions = {.count = true, .idle_seconds = 1},
                                   .out_port = port_id});
  if (!flow) return tl::unexpected(flow.error());
  const auto counted = domain.count(*flow);
  const auto idle = domain.is_idle(*flow);
  auto destroyed = domain.destroy(*flow);
  if (!counted) return tl::unexpected(counted.error());
  if (!idle) return tl::unexpected(idle.error());
  return destroyed;
}

}  // namespace foreflow::offload
