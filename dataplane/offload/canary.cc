// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/canary.h"

#include <chrono>

#include <fmt/format.h>

#include "dataplane/offload/groups.h"
#include "dataplane/offload/steering.h"

namespace foreflow::offload {
namespace {

// The grid's easiest values; nothing is ever metered by them.
constexpr meter::TwoRate kFirstLimit{
    .cir = BytesPerSecond{125'000'000}, .pir = BytesPerSecond{250'000'000}, .cbs = Bytes{65'536}, .pbs = Bytes{65'536}};
constexpr meter::TwoRate kSecondLimit{
    .cir = BytesPerSecond{250'000'000}, .pir = BytesPerSecond{250'000'000}, .cbs = Bytes{65'536}, .pbs = Bytes{65'536}};
constexpr MacAddress kNobody{{0x02, 0, 0, 0, 0, 0}};

Status try_rules(TransferDomain& domain, const MeterHandle& meter, std::uint16_t port_id) {
  Rule rule{.group = kCanaryGroup,
            .priority = kUntaggedPriority,
            .match = {.port_id = port_id, .source = kNobody},
            .actions = {.count = true},
            .meter = meter.id};
  const auto first = domain.create(rule);
  if (!first) return tl::unexpected(first.error());
  rule.match.destination = kNobody;
  const auto second = domain.create(rule);
  const auto counted = domain.count(*first);
  auto destroyed = domain.destroy(*first);
  if (second && destroyed) destroyed = domain.destroy(*second);
  if (!second) return tl::unexpected(second.error());
  if (!counted) return tl::unexpected(counted.error());
  return destroyed;
}

// Of all meters that share an uplink each may have to follow.
constexpr std::chrono::microseconds kLongestRerating{1'000};

Status try_rerating(TransferDomain& domain) {
  constexpr int kUpdates = 4;
  auto meter = domain.create_meter(kFirstLimit, kDeliveryGroup);
  if (!meter) return tl::unexpected(meter.error());
  const auto begin = std::chrono::steady_clock::now();
  Status outcome;
  for (int i = 0; i < kUpdates && outcome; ++i)
    outcome = domain.update_meter(*meter, i % 2 == 0 ? kSecondLimit : kFirstLimit);
  const auto each = (std::chrono::steady_clock::now() - begin) / kUpdates;
  if (outcome && each > kLongestRerating)
    outcome =
        fail(ErrorCode::kUnsupported, fmt::format("a new rate takes {} us, more than {}",
                                                  std::chrono::duration_cast<std::chrono::microseconds>(each).count(),
                                                  kLongestRerating.count()));
  const auto destroyed = domain.destroy_meter(*meter);
  return outcome ? destroyed : outcome;
}

std::string describe(const Status& status) { return status ? "yes" : fmt::format("no ({})", status.error().message); }

}  // namespace

Status try_canary(TransferDomain& domain, std::uint16_t port_id) {
  if (auto able = domain.check_capabilities(); !able) return able;
  auto meter = domain.create_meter(kFirstLimit, kDeliveryGroup);
  if (!meter) return tl::unexpected(meter.error());
  auto outcome = try_rules(domain, *meter, port_id);
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

Status try_metadata(TransferDomain& domain, std::uint16_t port_id) {
  Rule rule{.group = kCanaryGroup,
            .priority = kFirstTreatment,
            .match = {.port_id = port_id, .source = kNobody},
            .actions = {.metadata = MetadataField{.offset = steering_offset(Direction::kEgress),
                                                  .width = steering_bits(Direction::kEgress),
                                                  .value = kSteersAway}},
            .jump = kDeliveryGroup};
  const auto writes = domain.create(rule);
  if (!writes) return tl::unexpected(writes.error());
  rule.match.steered_away = true;
  const auto matches = domain.create(rule);
  auto destroyed = domain.destroy(*writes);
  if (!matches) return tl::unexpected(matches.error());
  const auto second = domain.destroy(*matches);
  return destroyed ? second : destroyed;
}

LendingFound try_lending(TransferDomain& domain) {
  return {.rerated = try_rerating(domain),
          .hierarchy = domain.try_hierarchy(kFirstLimit),
          .marked = domain.try_marking(kDeliveryGroup)};
}

std::string describe(const LendingFound& found) {
  return fmt::format("peaks re-rated in use: {}; meters chained by colour: {}; yellow in a lower class: {}",
                     describe(found.rerated), describe(found.hierarchy), describe(found.marked));
}

}  // namespace foreflow::offload
