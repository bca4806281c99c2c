// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/flow_rules.h"

#include <algorithm>

#include <fmt/format.h>

#include "dataplane/offload/groups.h"

namespace foreflow::offload {
namespace {

HeaderMatch reversed(const HeaderMatch& headers) {
  auto back = headers;
  std::swap(back.source, back.destination);
  std::swap(back.source_prefix, back.destination_prefix);
  std::swap(back.source_port, back.destination_port);
  return back;
}

}  // namespace

std::array<FlowRules::Way, kDirections> FlowRules::ways_of(const BypassFlow& flow) {
  std::array<Way, kDirections> ways;
  ways[index(Direction::kEgress)] = {
      .match = {.port_id = flow.vm_port, .source = flow.vm_mac, .destination = flow.next_hop, .headers = flow.headers},
      .out_port = flow.uplink_port};
  ways[index(Direction::kIngress)] = {
      .match = {.port_id = flow.uplink_port, .destination = flow.vm_mac, .headers = reversed(flow.headers)},
      .out_port = flow.vm_port};
  return ways;
}

Status FlowRules::able(std::uint16_t port) const {
  const auto domain = ports_.domain(port);
  return domain ? Status{} : tl::unexpected(domain.error());
}

Result<FlowOffload::Handle> FlowRules::give(const BypassFlow& wish) {
  const auto domain = ports_.domain(wish.vm_port);
  if (!domain) return tl::unexpected(domain.error());
  const auto other = ports_.domain(wish.uplink_port);
  if (!other) return tl::unexpected(other.error());
  if (*domain != *other)
    return fail(ErrorCode::kUnsupported,
                fmt::format("ports {} and {} belong to two eSwitches", wish.vm_port, wish.uplink_port));
  Flow flow{.domain = *domain, .ways = ways_of(wish), .last = {}};
  for (auto& way : flow.ways) {
    if (auto created = create(flow, way, wish.idle_seconds); !created) {
      undo(flow);
      return tl::unexpected(created.error());
    }
  }
  flows_.emplace(next_, flow);
  return next_++;
}

Status FlowRules::create(Flow& flow, Way& way, std::uint32_t idle_seconds) {
  if (auto held = ports_.hold_route(*flow.domain, way.match.port_id); !held) return held;
  const auto made = flow.domain->create({.group = kDeliveryGroup,
                                         .priority = kBypassPriority,
                                         .match = way.match,
                                         .actions = {.count = true, .idle_seconds = idle_seconds},
                                         .out_port = way.out_port});
  if (!made) {
    ports_.let_go_of_route(way.match.port_id);
    return tl::unexpected(made.error());
  }
  way.bypass = *made;
  return {};
}

// Nothing has passed yet that would have to be counted, or very little: a device that refuses the second direction
// does so at once.
void FlowRules::undo(Flow& flow) {
  for (auto& way : flow.ways) {
    if (way.bypass == nullptr || !flow.domain->destroy(way.bypass)) continue;
    ports_.let_go_of_route(way.match.port_id);
  }
}

Result<FlowCounts> FlowRules::read(Handle handle) {
  const auto found = flows_.find(handle);
  if (found == flows_.end()) return fail(ErrorCode::kNotFound, fmt::format("there is no bypassed flow {}", handle));
  auto& flow = found->second;
  auto counts = flow.last;
  counts.idle = true;
  for (std::size_t at = 0; at < kDirections; ++at) {
    if (flow.ways[at].bypass == nullptr) continue;
    const auto tally = flow.domain->count(flow.ways[at].bypass);
    if (!tally) return tl::unexpected(tally.error());
    const auto idle = flow.domain->is_idle(flow.ways[at].bypass);
    if (!idle) return tl::unexpected(idle.error());
    counts.tallies[at].packets += tally->packets;
    counts.tallies[at].bytes += tally->bytes;
    counts.idle = counts.idle && *idle;
  }
  return counts;
}

bool FlowRules::device_answers() const {
  return std::ranges::any_of(flows_, [](const auto& entry) {
    const auto& flow = entry.second;
    return std::ranges::any_of(flow.ways, [&flow](const Way& way) {
      return way.bypass != nullptr && flow.domain->count(way.bypass).has_value();
    });
  });
}

Result<FlowCounts> FlowRules::take_back(Handle handle) {
  const auto found = flows_.find(handle);
  if (found == flows_.end()) return fail(ErrorCode::kNotFound, fmt::format("there is no bypassed flow {}", handle));
  auto& flow = found->second;
  for (std::size_t at = 0; at < kDirections; ++at)
    if (auto finished = finish(flow, at); !finished) return tl::unexpected(finished.error());
  const auto counts = flow.last;
  flows_.erase(found);
  return counts;
}

Status FlowRules::finish(Flow& flow, std::size_t at) {
  auto& way = flow.ways[at];
  if (way.back == nullptr && way.bypass != nullptr) {
    const auto back = flow.domain->create(
        {.group = kDeliveryGroup, .priority = kReturnPriority, .match = way.match, .jump = kCpuGroup});
    // In a full device the flow ends at once, and what passes between the next two calls is not counted.
    if (!back && back.error().code != ErrorCode::kExhausted) return tl::unexpected(back.error());
    if (back) way.back = *back;
  }
  if (way.bypass != nullptr) {
    const auto tally = flow.domain->count(way.bypass);
    if (!tally) return tl::unexpected(tally.error());
    if (auto destroyed = flow.domain->destroy(way.bypass); !destroyed) return destroyed;
    way.bypass = nullptr;
    flow.last.tallies[at] = *tally;
    ports_.let_go_of_route(way.match.port_id);
  }
  if (way.back != nullptr) {
    if (auto destroyed = flow.domain->destroy(way.back); !destroyed) return destroyed;
    way.back = nullptr;
  }
  return {};
}

}  // namespace foreflow::offload
