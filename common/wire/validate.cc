// SPDX-License-Identifier: Apache-2.0
#include "common/wire/validate.h"

#include <algorithm>

#include "common/wire/limits.h"

namespace foreflow::wire {

std::string Place::render() const {
  if (parent_ == nullptr) return std::string(field_);
  return index_ ? fmt::format("{}[{}]", parent_->render(), *index_) : fmt::format("{}.{}", parent_->render(), field_);
}

void Validator::fault(const Place& place, std::string_view what) {
  if (!fault_) fault_ = fmt::format("{}: {}", place.render(), what);
}

bool Validator::count(const Place& place, std::size_t elements, std::size_t most) {
  if (elements <= most) return true;
  fault(place, fmt::format("{} elements, expected at most {}", elements, most));
  return false;
}

std::uint64_t Validator::within(const Place& place, std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  if (value >= least && value <= most) return value;
  fault(place, fmt::format("{}, expected {} to {}", value, least, most));
  return least;
}

std::string Validator::text(const Place& place, const std::string& value, std::size_t longest) {
  if (value.size() <= longest) return value;
  fault(place, fmt::format("{} bytes of text, expected at most {}", value.size(), longest));
  return {};
}

std::string Validator::name(const Place& place, const std::string& value) {
  if (value.empty()) fault(place, "empty, expected a name");
  return text(place, value, kLongestName);
}

MacAddress Validator::mac(const Place& place, const std::string& value) {
  MacAddress address;
  if (value.size() == address.octets.size())
    std::copy(value.begin(), value.end(), address.octets.begin());
  else
    fault(place, fmt::format("{} bytes, expected the 6 of a MAC address", value.size()));
  return address;
}

Segment Validator::segment(const Place& place, std::uint32_t value) {
  constexpr std::uint32_t kLastVlan = 4094;
  constexpr std::uint32_t kLastVni = (1u << 24) - 1;
  const bool is_vni = value >= Segment::kVniBase && value - Segment::kVniBase <= kLastVni;
  if (value <= kLastVlan || is_vni) return Segment{value};
  fault(place, fmt::format("{}, expected a VLAN id 0 to {} or {} + VNI", value, kLastVlan, Segment::kVniBase));
  return Segment{};
}

}  // namespace foreflow::wire
