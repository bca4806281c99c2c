// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/names.h"

namespace foreflow::classify {

Names::Names(std::string_view zero, std::size_t most) : most_(most) {
  names_.emplace_back(zero);
  ids_.emplace(names_.back(), std::uint16_t{0});
}

std::optional<std::uint16_t> Names::id_of(std::string_view name) {
  const std::lock_guard lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
  if (names_.size() >= most_) return std::nullopt;
  const auto id = static_cast<std::uint16_t>(names_.size());
  names_.emplace_back(name);
  ids_.emplace(names_.back(), id);
  return id;
}

std::string_view Names::name_of(std::uint16_t id) const noexcept {
  const std::lock_guard lock(mutex_);
  return id < names_.size() ? names_[id] : names_.front();
}

std::size_t Names::count() const noexcept {
  const std::lock_guard lock(mutex_);
  return names_.size();
}

Names& protocol_names() {
  static Names names("unknown", kMostProtocols);
  return names;
}

Names& app_names() {
  static Names names("", kMostApps);
  return names;
}

}  // namespace foreflow::classify
