// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/port_changes.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <fmt/format.h>
#include <rte_flow.h>

#include "dataplane/pipeline/shaper.h"

namespace foreflow::pipeline {

void PortChanges::begin(std::vector<config::PortConfig> wanted) {
  assert(!busy());
  wanted_ = std::move(wanted);
  phase_ = Phase::kLeaving;
}

std::vector<PortChange> PortChanges::step() {
  assert(!configurator_.busy());
  switch (phase_) {
    case Phase::kLeaving:
      return leave();
    case Phase::kDraining:
      return close();
    case Phase::kComing:
      return come();
    case Phase::kIdle:
      break;
  }
  return {};
}

bool PortChanges::stays(const config::PortConfig& current) const {
  return std::find(wanted_.begin(), wanted_.end(), current) != wanted_.end();
}

// The rules of other ports would go with it.
bool PortChanges::is_proxy_of_others(const port::Port& port) const {
  return std::any_of(ports_.all().begin(), ports_.all().end(), [&](const port::Port& other) {
    std::uint16_t proxy = other.id;
    rte_flow_error error{};
    return other.id != port.id && rte_flow_pick_transfer_proxy(other.id, &proxy, &error) == 0 && proxy == port.id;
  });
}

std::vector<PortChange> PortChanges::leave() {
  std::vector<PortChange> refused;
  std::vector<port::Port> staying;
  leaving_.clear();
  for (std::size_t i = 0; i < ports_.all().size(); ++i) {
    const auto& port = ports_.all()[i];
    if (stays(ports_.configs()[i])) {
      staying.push_back(port);
    } else if (is_proxy_of_others(port)) {
      refused.push_back({PortChange::Kind::kFailed,
                         {.name = port.name},
                         fmt::format("port {} stays as it is: the rules of other ports are in its eSwitch, a restart "
                                     "of the dataplane replaces it",
                                     port.name)});
      staying.push_back(port);
    } else {
      leaving_.push_back(port);
    }
  }
  phase_ = Phase::kComing;
  if (leaving_.empty()) return refused;
  phase_ = Phase::kDraining;
  handed_over_.clear();
  publish(std::move(staying));
  return refused;
}

std::vector<PortChange> PortChanges::close() {
  if (handed_over_.empty()) {  // the first time after the grace period
    handed_over_ = engine_.handover().filled();
    left_ns_ = monotonic_ns();
    if (std::ranges::any_of(leaving_, [](const auto& port) { return port.role == config::PortRole::kUplink; }))
      for (const auto& queue : engine_.uplink_queues()) queue->ask_to_empty();
  }
  // What a shaper holds longer, it drops before it looks at anything else.
  const auto& queues = engine_.uplink_queues();
  if (std::ranges::any_of(queues, [](const auto& queue) { return !queue->is_emptied(); })) return {};
  if (!engine_.handover().taken(handed_over_) || monotonic_ns() - left_ns_ <= ShapeQueue::kMostNs) return {};
  std::vector<PortChange> changes;
  for (const auto& port : leaving_) {
    const auto removed = ports_.remove(port.name);
    changes.push_back({PortChange::Kind::kRemoved, port, removed ? "" : removed.error().message});
  }
  leaving_.clear();
  phase_ = Phase::kComing;
  return changes;
}

std::vector<PortChange> PortChanges::come() {
  std::vector<PortChange> changes;
  for (const auto& config : wanted_) {
    const auto* current = ports_.find(config.name);
    if (current != nullptr) continue;  // stayed, or was refused to leave
    auto added = ports_.add(config);
    if (added)
      changes.push_back({PortChange::Kind::kAdded, std::move(*added), ""});
    else
      changes.push_back({PortChange::Kind::kFailed, {.name = config.name}, added.error().message});
  }
  phase_ = Phase::kIdle;
  if (configurator_.ports().size() != ports_.all().size()) publish(ports_.all());
  return changes;
}

void PortChanges::publish(std::vector<port::Port> ports) {
  std::vector<std::uint16_t> ids;
  ids.reserve(ports.size());
  for (const auto& port : ports) ids.push_back(port.id);
  enforcer_.probe(ids);
  configurator_.use(std::move(ports));
}

}  // namespace foreflow::pipeline
