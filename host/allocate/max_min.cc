// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/max_min.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <queue>
#include <utility>

namespace foreflow::allocate {
namespace {

using Wide = unsigned __int128;

// A level as an exact fraction; numerator < 2^64 and denominator < 2^63, so that cross products fit 128 bits.
struct Level {
  std::uint64_t numerator = 0;
  std::uint64_t denominator = 1;
};
bool operator<(const Level& a, const Level& b) {
  return Wide{a.numerator} * b.denominator < Wide{b.numerator} * a.denominator;
}

enum class Phase : std::uint8_t { kAtLower, kRising, kAtUpper };

// At `level` a flow on this link begins to rise from its lower bound, or arrives at its upper.
struct Turn {
  Level level;
  std::uint32_t place;  // of the flow on this link
  Phase next;
};

// One link on the way up. The load on it at a level L is `fixed + slope * L`; the cursor stands before the first turn
// that lies above the level at which the link would be full as far as is known now. Freezing a flow elsewhere only
// takes load away, so that level never falls and the cursor never goes back.
class LinkFill {
 public:
  explicit LinkFill(std::uint64_t capacity) : capacity_(capacity) {}

  std::uint32_t join(std::uint32_t flow, const Flow& bounds) {
    const auto place = static_cast<std::uint32_t>(flows_.size());
    flows_.push_back({flow, Phase::kAtLower, false});
    fixed_ += bounds.lower;
    if (bounds.weight > 0 && bounds.lower < bounds.upper) {
      turns_.push_back({{bounds.lower, bounds.weight}, place, Phase::kRising});
      turns_.push_back({{bounds.upper, bounds.weight}, place, Phase::kAtUpper});
    }
    return place;
  }

  void start() {
    assert(fixed_ <= capacity_);
    std::sort(turns_.begin(), turns_.end(), [](const Turn& a, const Turn& b) { return a.level < b.level; });
  }

  // The level at which the link is full if nobody is frozen before; nullopt: never.
  std::optional<Level> full_at(std::span<const Flow> flows) {
    for (;; ++cursor_) {
      while (cursor_ < turns_.size() && flows_[turns_[cursor_].place].frozen) ++cursor_;
      if (slope_ > 0) {
        const Level full{static_cast<std::uint64_t>(capacity_ - fixed_), slope_};
        if (cursor_ == turns_.size() || !(turns_[cursor_].level < full)) return full;
      }
      if (cursor_ == turns_.size()) return std::nullopt;
      take(turns_[cursor_], flows);
    }
  }

  void freeze(std::uint32_t place, const Flow& bounds, std::uint64_t value) {
    Member& member = flows_[place];
    member.frozen = true;
    fixed_ += value;
    if (member.phase == Phase::kRising)
      slope_ -= bounds.weight;
    else
      fixed_ -= member.phase == Phase::kAtLower ? bounds.lower : bounds.upper;
  }

  struct Member {
    std::uint32_t flow;
    Phase phase;
    bool frozen;
  };
  const std::vector<Member>& members() const { return flows_; }

 private:
  void take(const Turn& turn, std::span<const Flow> flows) {
    Member& member = flows_[turn.place];
    const Flow& bounds = flows[member.flow];
    if (turn.next == Phase::kRising) {
      fixed_ -= bounds.lower;
      slope_ += bounds.weight;
    } else {
      fixed_ += bounds.upper;
      slope_ -= bounds.weight;
    }
    member.phase = turn.next;
  }

  std::uint64_t capacity_;
  Wide fixed_ = 0;
  std::uint64_t slope_ = 0;
  std::size_t cursor_ = 0;
  std::vector<Turn> turns_;
  std::vector<Member> flows_;
};

std::uint64_t value_at(const Level& level, const Flow& flow) {
  const Wide share = Wide{level.numerator} * flow.weight / level.denominator;
  if (share <= flow.lower) return flow.lower;
  return share >= flow.upper ? flow.upper : static_cast<std::uint64_t>(share);
}

struct Candidate {
  Level level;
  std::uint32_t link;
  // For a heap whose top is the lowest level; of equal ones the lowest link.
  bool operator<(const Candidate& other) const {
    if (other.level < level) return true;
    return !(level < other.level) && other.link < link;
  }
};

class Filler {
 public:
  Filler(std::span<const Flow> flows, std::span<const std::uint64_t> capacities) : flows_(flows) {
    links_.reserve(capacities.size());
    for (const std::uint64_t capacity : capacities) links_.emplace_back(capacity);
    places_.reserve(flows.size());
    result_.flows.resize(flows.size());
    result_.closed.resize(capacities.size());
    first_place_.reserve(flows.size());
    for (std::uint32_t i = 0; i < flows.size(); ++i) {
      first_place_.push_back(places_.size());
      for (const std::uint32_t link : flows[i].links) places_.push_back(links_[link].join(i, flows[i]));
    }
    for (LinkFill& link : links_) link.start();
  }

  Filling run() && {
    for (std::uint32_t link = 0; link < links_.size(); ++link) queue(link);
    while (!heap_.empty()) {
      const Candidate lowest = heap_.top();
      heap_.pop();
      // Freezes since it was queued may have put this link's level up; only a current one counts.
      const std::optional<Level> now = links_[lowest.link].full_at(flows_);
      if (now && !(lowest.level < *now))
        close(lowest.link, *now);
      else if (now)
        heap_.push({*now, lowest.link});
    }
    for (std::size_t i = 0; i < flows_.size(); ++i)
      if (!frozen(i)) result_.flows[i].value = flows_[i].weight == 0 ? flows_[i].lower : flows_[i].upper;
    return std::move(result_);
  }

 private:
  void queue(std::uint32_t link) {
    if (const std::optional<Level> level = links_[link].full_at(flows_)) heap_.push({*level, link});
  }

  // Everybody on a full link keeps what the level has given him.
  void close(std::uint32_t full, const Level& level) {
    result_.closed[full] = 1;
    for (std::size_t place = 0; place < links_[full].members().size(); ++place) {
      const LinkFill::Member member = links_[full].members()[place];
      if (member.frozen) continue;
      const Flow& flow = flows_[member.flow];
      Filled& filled = result_.flows[member.flow];
      filled.value = value_at(level, flow);
      if (filled.value < flow.upper && flow.weight > 0) filled.bottleneck = full;
      for (std::size_t i = 0; i < flow.links.size(); ++i)
        links_[flow.links[i]].freeze(places_[first_place_[member.flow] + i], flow, filled.value);
    }
  }

  bool frozen(std::size_t flow) const {
    if (flows_[flow].links.empty()) return false;
    return links_[flows_[flow].links[0]].members()[places_[first_place_[flow]]].frozen;
  }

  std::span<const Flow> flows_;
  std::vector<LinkFill> links_;
  std::vector<std::size_t> first_place_;  // per flow, into places_
  std::vector<std::uint32_t> places_;     // per (flow, link): where the flow stands on that link
  std::priority_queue<Candidate> heap_;
  Filling result_;
};

}  // namespace

Filling fill(std::span<const Flow> flows, std::span<const std::uint64_t> capacities) {
  return Filler(flows, capacities).run();
}

}  // namespace foreflow::allocate
