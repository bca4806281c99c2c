// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/demand_history.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace foreflow::forecast {
namespace {

constexpr float kGap = std::numeric_limits<float>::quiet_NaN();
constexpr std::int64_t kSecond = kNanosPerSecond;

}  // namespace

DemandHistory::DemandHistory(std::uint64_t interval_ns, std::size_t length)
    : interval_ns_(interval_ns), slots_(length, kGap), limited_(length) {}

void DemandHistory::observe(UnixNanos time, std::uint64_t interval_ns, std::uint64_t offered_bytes, bool limited) {
  if (interval_ns == 0 || time.value <= 0 || time > kLatest) return;
  if (interval_ns > static_cast<std::uint64_t>(time.value)) return;
  const auto length = static_cast<std::int64_t>(interval_ns);
  const auto rate = static_cast<float>(static_cast<double>(offered_bytes) * kSecond / static_cast<double>(length));
  const IntervalIndex last = index_of(time.value - 1);
  const IntervalIndex first = std::max(index_of(time.value - length), last - static_cast<IntervalIndex>(slots_.size()));
  if (length < 2 * kSecond || first == last) {
    const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(1, (length + kSecond / 2) / kSecond));
    add(index_of(time.value - (length + 1) / 2), rate, count, limited);
  } else {
    for (IntervalIndex index = first; index <= last; ++index) {
      const auto step = static_cast<std::int64_t>(interval_ns_);
      const std::int64_t overlap =
          std::min(time.value, (index + 1) * step) - std::max(time.value - length, index * step);
      if (const std::int64_t count = (overlap + kSecond / 2) / kSecond; count > 0)
        add(index, rate, static_cast<std::uint64_t>(count), limited);
    }
  }
  newest_sample_ = std::max(newest_sample_, time);
  if (limited) newest_limited_ = std::max(newest_limited_.value_or(time), time);
}

std::optional<Slot> DemandHistory::at(IntervalIndex index) const {
  if (empty_ || index < oldest() || index > newest_ || std::isnan(slots_[place(index)])) return std::nullopt;
  return Slot{slots_[place(index)], limited_[place(index)] != 0};
}

predictor::Series DemandHistory::series(IntervalIndex end, std::size_t season) const {
  predictor::Series series(season);
  IntervalIndex index = oldest();
  while (index <= newest_ && !at(index)) ++index;
  const IntervalIndex stop = std::min(end, newest_ + 1);
  for (; index < stop; ++index) {
    const std::optional<Slot> slot = at(index);
    series.push(slot ? slot->rate : kGap, slot && slot->limited);
  }
  const auto silent = static_cast<std::size_t>(std::max<IntervalIndex>(end - stop, 0));
  for (std::size_t gap = silent > season ? silent % season : silent; gap > 0 && series.size() > 0; --gap)
    series.push_gap();
  return series;
}

StoredHistory DemandHistory::store() const {
  StoredHistory stored{.newest = newest_};
  IntervalIndex index = oldest();
  while (index <= newest_ && !at(index)) ++index;
  for (; index <= newest_; ++index) stored.slots.push_back(at(index).value_or(Slot{kGap}));
  return stored;
}

void DemandHistory::restore(const StoredHistory& stored) {
  *this = DemandHistory(interval_ns_, slots_.size());
  for (std::size_t i = 0; i < stored.slots.size(); ++i) {
    const Slot& slot = stored.slots[i];
    if (std::isnan(slot.rate)) continue;
    advance(stored.newest - static_cast<IntervalIndex>(stored.slots.size() - 1 - i));
    slots_[place(newest_)] = slot.rate;
    limited_[place(newest_)] = slot.limited ? 1 : 0;
  }
}

void DemandHistory::add(IntervalIndex index, float rate, std::uint64_t count, bool limited) {
  advance(index);
  if (index < first_kept()) return;
  first_ = std::min(first_, index);
  Open& interval = open(index);
  interval.samples.add(rate, count);
  interval.touched = ++touches_;
  slots_[place(index)] = std::max(interval.before, interval.samples.p95());
  if (limited) limited_[place(index)] = 1;
  if (index != newest_) ++revision_;
}

// Makes `index` the newest interval if it is newer; those passed over are gaps.
void DemandHistory::advance(IntervalIndex index) {
  if (empty_) {
    empty_ = false;
    first_ = newest_ = index;
    return;
  }
  if (index <= newest_) return;
  const IntervalIndex first = std::max(newest_ + 1, index - static_cast<IntervalIndex>(slots_.size()) + 1);
  newest_ = index;
  for (IntervalIndex passed = first; passed <= index; ++passed) {
    slots_[place(passed)] = kGap;
    limited_[place(passed)] = 0;
  }
}

DemandHistory::Open& DemandHistory::open(IntervalIndex index) {
  for (Open& interval : open_)
    if (interval.touched != 0 && interval.index == index) return interval;
  Open& longest_idle = *std::ranges::min_element(open_, {}, &Open::touched);
  const float before = slots_[place(index)];
  longest_idle = {.index = index, .before = std::isnan(before) ? 0 : before};
  return longest_idle;
}

std::size_t DemandHistory::place(IntervalIndex index) const { return static_cast<std::size_t>(index) % slots_.size(); }

}  // namespace foreflow::forecast
