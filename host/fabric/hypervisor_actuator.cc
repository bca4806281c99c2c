// SPDX-License-Identifier: Apache-2.0
#include "host/fabric/hypervisor_actuator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace foreflow::fabric {
namespace {

// Smaller changes are not worth a call.
bool differs(std::uint64_t is, std::uint64_t wanted) {
  return std::max(is, wanted) - std::min(is, wanted) > std::max<std::uint64_t>(wanted / 100, 1);
}

}  // namespace

Status HypervisorActuator::verify(const GuestTarget& target) const {
  if (target.device != host_)
    return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not '{}'", target.device, host_));
  for (const auto& limit : target.limits) {
    const bool good = (!limit.cpu || *limit.cpu >= guest::kLeastCpu) && limit.vcpus != 0u && limit.memory != Bytes{0};
    if (!good)
      return fail(
          ErrorCode::kInvalidArgument,
          fmt::format("{}: VM {} cannot run with so little: at least {} us of CPU per second, a vCPU and memory", host_,
                      limit.vm.value, guest::kLeastCpu.value));
  }
  return {};
}

Status HypervisorActuator::connect() {
  if (control_) return {};
  auto opened = open_();
  if (!opened) return tl::unexpected(opened.error());
  control_ = std::move(*opened);
  return {};
}

// One that is refused does not keep the others from being set; the first refusal of each is told.
void HypervisorActuator::set(const guest::Limits& now, GuestEnforcement& made) {
  const auto& limit = made.asked;
  const auto note = [&](std::string& error, const Status& one) {
    if (!one && error.empty()) error = one.error().message;
    if (!one && one.error().code == ErrorCode::kUnavailable) control_.reset();
  };
  if (limit.vcpus && *limit.vcpus != now.vcpus) note(made.cpu_error, control_->set_vcpus(limit.uuid, *limit.vcpus));
  if (control_ && limit.cpu && (!now.cpu || differs(now.cpu->value, limit.cpu->value)))
    note(made.cpu_error, control_->limit_cpu(limit.uuid, limit.cpu));
  if (control_ && limit.memory && differs(now.memory.value, limit.memory->value))
    note(made.memory_error, control_->set_memory(limit.uuid, *limit.memory));
}

Status HypervisorActuator::apply(const GuestTarget& target) {
  if (auto good = verify(target); !good) return good;
  if (auto connected = connect(); !connected) return connected;
  GuestReadBack seen;
  for (const auto& limit : target.limits) {
    GuestEnforcement made{.asked = limit};
    if (const auto before = control_->limits(limit.uuid)) {
      set(*before, made);
      if (!control_) return fail(ErrorCode::kUnavailable, made.cpu_error.empty() ? made.memory_error : made.cpu_error);
      if (auto after = control_->limits(limit.uuid)) made.found = *after;
    } else {
      if (before.error().code == ErrorCode::kUnavailable) {
        control_.reset();
        return tl::unexpected(before.error());
      }
      made.cpu_error = made.memory_error = before.error().message;
    }
    seen.enforcements.push_back(std::move(made));
  }
  if (target != target_) previous_ = std::exchange(target_, target);
  read_back_ = std::move(seen);
  return {};
}

Result<GuestReadBack> HypervisorActuator::read_back(const std::string& device) const {
  if (device != host_ || !read_back_)
    return fail(ErrorCode::kNotFound, fmt::format("nothing was ever applied to '{}'", device));
  return *read_back_;
}

Status HypervisorActuator::revert(const std::string& device) {
  if (device != host_ || !previous_)
    return fail(ErrorCode::kNotFound, fmt::format("there is no earlier state of '{}' to go back to", device));
  return apply(GuestTarget(*previous_));
}

}  // namespace foreflow::fabric
