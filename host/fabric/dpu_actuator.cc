// SPDX-License-Identifier: Apache-2.0
#include "host/fabric/dpu_actuator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace foreflow::fabric {

DpuActuator::DpuActuator(Send send, Save save, std::map<std::string, Installed> known)
    : send_(std::move(send)), save_(std::move(save)) {
  for (auto& device : known) devices_[device.first].installed = std::move(device.second);
}

Status DpuActuator::verify(const Target& target) const {
  for (const auto& [police, guarantee, cap] : target.limits)
    if (police.pir < police.cir)
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: the {} limit of VM {} has a peak rate of {}, below its committed {}", target.device,
                      to_string(police.direction), police.vm.value, format_rate(police.pir), format_rate(police.cir)));
  return {};
}

Status DpuActuator::apply(const Target& target) {
  if (auto good = verify(target); !good) return good;
  std::lock_guard lock(mutex_);
  auto& device = devices_[target.device];
  if (device.installed.generation.value != 0 && !worth_a_push(device.installed.target, target)) return {};
  return install(device, target);
}

Status DpuActuator::install(Device& device, const Target& target) {
  Installed next{{device.installed.generation.value + 1}, target, device.installed.signature_revision};
  if (auto saved = save_(next); !saved) return saved;
  if (device.installed.generation.value != 0) device.previous = std::move(device.installed.target);
  device.installed = std::move(next);
  return push(device);
}

Status DpuActuator::push(const Device& device) const {
  const auto& [generation, target, signature_revision] = device.installed;
  auto desired = desired_state(target, generation);
  desired.signature_revision = signature_revision;
  auto sent = send_(target.device, desired);
  // A dataplane that is away asks for its state when it comes back.
  if (!sent && sent.error().code == ErrorCode::kNotFound) return {};
  return sent;
}

Status DpuActuator::revert(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = devices_.find(name);
  if (found == devices_.end() || !found->second.previous)
    return fail(ErrorCode::kNotFound, fmt::format("there is no earlier state of '{}' to go back to", name));
  return install(found->second, Target(*found->second.previous));
}

Status DpuActuator::reload_signatures(const std::string& name) {
  std::lock_guard lock(mutex_);
  const auto found = devices_.find(name);
  if (found == devices_.end() || found->second.installed.generation.value == 0)
    return fail(ErrorCode::kNotFound,
                fmt::format("'{}' was never told anything; it reads its signatures at its start", name));
  auto& device = found->second;
  auto next = device.installed;
  ++next.generation.value;
  ++next.signature_revision;
  if (auto saved = save_(next); !saved) return saved;
  device.installed = std::move(next);
  return push(device);
}

Result<ReadBack> DpuActuator::read_back(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = devices_.find(name);
  if (found == devices_.end()) return fail(ErrorCode::kNotFound, fmt::format("'{}' was never told anything", name));
  const auto& device = found->second;
  ReadBack back{device.installed.generation, device.applied.generation, {}};
  for (auto& intent : desired_state(device.installed.target, device.installed.generation).intents) {
    Enforcement enforcement{.asked = intent};
    for (const auto& result : device.applied.results)
      if (result.id == intent.id) enforcement.result = result;
    if (const auto stats = device.stats.find(intent.id); stats != device.stats.end()) enforcement.stats = stats->second;
    back.enforcements.push_back(std::move(enforcement));
  }
  return back;
}

Status DpuActuator::on_hello(const wire::Hello& hello) {
  std::lock_guard lock(mutex_);
  const auto found = devices_.find(hello.dataplane);
  if (found == devices_.end() || found->second.installed.generation.value == 0) return {};
  auto& device = found->second;
  device.applied = {};
  // Only a manager that lost its state is behind its dataplane; it must not reuse numbers.
  if (hello.applied > device.installed.generation) {
    device.installed.generation = hello.applied;
    return install(device, Target(device.installed.target));
  }
  return push(device);
}

void DpuActuator::on_applied(const std::string& name, const wire::Applied& applied) {
  std::lock_guard lock(mutex_);
  auto& device = devices_[name];
  if (applied.generation >= device.applied.generation) device.applied = applied;
}

std::vector<Deviation> DpuActuator::on_report(const std::string& name, const wire::Report& report) {
  std::lock_guard lock(mutex_);
  auto& device = devices_[name];
  device.stats.clear();
  for (const auto& item : report.intents) device.stats[item.id] = item;
  if (device.applied.generation != device.installed.generation) return {};
  std::vector<wire::Police> limits;
  for (const auto& limit : device.installed.target.limits) limits.push_back(limit.police);
  return device.watch.observe(limits, report);
}

}  // namespace foreflow::fabric
