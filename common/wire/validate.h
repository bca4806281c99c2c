// SPDX-License-Identifier: Apache-2.0
// Reads foreign fields within bounds and keeps the first fault, with its path in the message.
// Place: common/wire, inside the conversions. Thread safety: none.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/ids.h"
#include "common/result.h"

namespace foreflow::wire {

// A field and how it was reached: `report.vms[3].egress.drops`. Lives on the stack of the reading functions; it costs
// nothing until it is rendered.
class Place {
 public:
  explicit Place(std::string_view field) : field_(field) {}
  Place operator/(std::string_view field) const { return Place(this, field, {}); }
  Place operator[](std::size_t index) const { return Place(this, {}, index); }
  std::string render() const;

 private:
  Place(const Place* parent, std::string_view field, std::optional<std::size_t> index)
      : parent_(parent), field_(field), index_(index) {}

  const Place* parent_ = nullptr;
  std::string_view field_;
  std::optional<std::size_t> index_;
};

// Every member returns a harmless value after noting a fault, so that readers need no branch per field.
class Validator {
 public:
  bool failed() const { return fault_.has_value(); }
  void fault(const Place& place, std::string_view what);

  // False when there are more elements than allowed: the caller then reads none of them.
  bool count(const Place& place, std::size_t elements, std::size_t most);
  std::uint64_t within(const Place& place, std::uint64_t value, std::uint64_t least, std::uint64_t most);
  std::string text(const Place& place, const std::string& value, std::size_t longest);
  std::string name(const Place& place, const std::string& value);  // not empty, at most kLongestName
  MacAddress mac(const Place& place, const std::string& value);
  Segment segment(const Place& place, std::uint32_t value);

  template <typename Enum>
  Enum choice(const Place& place, std::uint32_t value, std::size_t values) {
    return static_cast<Enum>(within(place, value, 0, values - 1));
  }

  // Missing entries are 0: a peer need not send trailing zeros.
  template <std::size_t N, typename Repeated>
  std::array<std::uint64_t, N> counters(const Place& place, const Repeated& values) {
    std::array<std::uint64_t, N> result{};
    if (!count(place, static_cast<std::size_t>(values.size()), N)) return result;
    for (int i = 0; i < values.size(); ++i) result[static_cast<std::size_t>(i)] = values.Get(i);
    return result;
  }

  template <typename T>
  Result<T> finish(T value) {
    if (fault_) return fail(ErrorCode::kMalformed, std::move(*fault_));
    return value;
  }

 private:
  std::optional<std::string> fault_;
};

}  // namespace foreflow::wire
