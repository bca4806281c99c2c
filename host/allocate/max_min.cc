// SPDX-License-Identifier: Apache-2.0
#include "host/allocate/max_min.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cstddef>
#include <limits>
#include <numeric>
#include <queue>

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

// At `level` a flow begins to rise from its lower bound, or arrives at its upper.
struct Turn {
  Level level;
  std::uint32_t flow;
  bool arrives;
};

// The turns of all flows by level. A rank is a place in this order.
class Turns {
 public:
  explicit Turns(std::span<const Flow> flows) : ranks_(flows.size()) {
    turns_.reserve(2 * flows.size());
    for (std::uint32_t i = 0; i < flows.size(); ++i) {
      const Flow& flow = flows[i];
      if (flow.weight == 0 || flow.lower >= flow.upper) continue;
      turns_.push_back({{flow.lower, flow.weight}, i, false});
      // No link is full as late as this bound.
      if (flow.upper != kNoBound) turns_.push_back({{flow.upper, flow.weight}, i, true});
    }
    sort();
    for (std::uint32_t rank = 0; rank < turns_.size(); ++rank)
      (turns_[rank].arrives ? ranks_[turns_[rank].flow].arrives : ranks_[turns_[rank].flow].rises) = rank;
  }

  struct Ranks {
    std::uint32_t rises = kNever;
    std::uint32_t arrives = kNever;
  };
  static constexpr std::uint32_t kNever = std::numeric_limits<std::uint32_t>::max();

  std::size_t size() const { return turns_.size(); }
  const Turn& operator[](std::uint32_t rank) const { return turns_[rank]; }
  const Ranks& of(std::uint32_t flow) const { return ranks_[flow]; }

 private:
  static constexpr std::uint64_t kNoBound = std::numeric_limits<std::uint64_t>::max();

  // Counting passes by an approximate level (monotone in the exact one), then insertion by the exact level among the
  // few that the approximation holds to be equal.
  void sort() {
    struct Key {
      std::uint32_t level;
      std::uint32_t turn;
    };
    constexpr unsigned kDigit = 11, kBits = 33;
    std::vector<Key> keys(turns_.size()), next(turns_.size());
    for (std::uint32_t i = 0; i < turns_.size(); ++i) keys[i] = {approximate(turns_[i].level), i};
    for (unsigned shift = 0; shift < kBits; shift += kDigit) {
      const auto digit = [shift](const Key& key) { return (key.level >> shift) & ((1U << kDigit) - 1); };
      std::array<std::uint32_t, (1U << kDigit) + 1> first{};
      for (const Key& key : keys) ++first[digit(key) + 1];
      std::partial_sum(first.begin(), first.end(), first.begin());
      for (const Key& key : keys) next[first[digit(key)]++] = key;
      keys.swap(next);
    }
    std::vector<Turn> sorted;
    sorted.reserve(turns_.size());
    for (const Key& key : keys) sorted.push_back(turns_[key.turn]);
    for (std::size_t begin = 0, end = 1; begin < keys.size(); begin = end++) {
      while (end < keys.size() && keys[end].level - keys[end - 1].level <= 1) ++end;
      if (end - begin > 1)
        std::sort(sorted.data() + begin, sorted.data() + end,
                  [](const Turn& a, const Turn& b) { return a.level < b.level; });
    }
    turns_ = std::move(sorted);
  }

  // The upper half of the double: positive ones are ordered as their bits are. Rounding may put two levels that are
  // nearly equal into the wrong order, but never further than one apart.
  static std::uint32_t approximate(const Level& level) {
    const double value = static_cast<double>(level.numerator) / static_cast<double>(level.denominator);
    return static_cast<std::uint32_t>(std::bit_cast<std::uint64_t>(value) >> 32);
  }

  std::vector<Turn> turns_;
  std::vector<Ranks> ranks_;
};

// One list per link in one array.
class PerLink {
 public:
  explicit PerLink(std::size_t links) : first_(links + 1) {}
  void count(std::uint32_t link) { ++first_[link + 1]; }
  void counted() {
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    items_.resize(first_.back());
    next_.assign(first_.begin(), first_.end() - 1);
  }
  void add(std::uint32_t link, std::uint32_t item) { items_[next_[link]++] = item; }
  std::span<const std::uint32_t> of(std::uint32_t link) const {
    return std::span(items_).subspan(first_[link], first_[link + 1] - first_[link]);
  }

 private:
  std::vector<std::uint32_t> first_, next_, items_;
};

// One link on the way up. The load on it at a level L is `fixed + slope * L`; the cursor stands before the first turn
// that lies above the level at which the link would be full as far as is known now. Freezing a flow elsewhere only
// takes load away, so that level never falls and the cursor never goes back.
struct LinkFill {
  std::uint64_t capacity = 0;
  Wide fixed = 0;
  std::uint64_t slope = 0;
  std::uint32_t cursor = 0;     // into the link's turns
  std::uint32_t next_rank = 0;  // turns below it have been taken
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
  Filler(std::span<const Flow> flows, std::span<const std::uint64_t> capacities)
      : flows_(flows),
        turns_(flows),
        links_(capacities.size()),
        members_(capacities.size()),
        link_turns_(capacities.size()),
        frozen_(flows.size()) {
    result_.flows.resize(flows.size());
    result_.closed.resize(capacities.size());
    for (std::size_t link = 0; link < capacities.size(); ++link) links_[link].capacity = capacities[link];
    for (const Flow& flow : flows)
      for (const std::uint32_t link : flow.links) members_.count(link);
    for (std::uint32_t rank = 0; rank < turns_.size(); ++rank)
      for (const std::uint32_t link : flows[turns_[rank].flow].links) link_turns_.count(link);
    members_.counted();
    link_turns_.counted();
    for (std::uint32_t i = 0; i < flows.size(); ++i)
      for (const std::uint32_t link : flows[i].links) {
        members_.add(link, i);
        links_[link].fixed += flows[i].lower;
      }
    for (std::uint32_t rank = 0; rank < turns_.size(); ++rank)
      for (const std::uint32_t link : flows[turns_[rank].flow].links) link_turns_.add(link, rank);
  }

  Filling run() && {
    for (std::uint32_t link = 0; link < links_.size(); ++link) {
      assert(links_[link].fixed <= links_[link].capacity);
      if (const std::optional<Level> level = full_at(link)) heap_.push({*level, link});
    }
    while (!heap_.empty()) {
      const Candidate lowest = heap_.top();
      heap_.pop();
      // Freezes since it was queued may have put this link's level up; only a current one counts.
      const std::optional<Level> now = full_at(lowest.link);
      if (now && !(lowest.level < *now))
        close(lowest.link, *now);
      else if (now)
        heap_.push({*now, lowest.link});
    }
    for (std::size_t i = 0; i < flows_.size(); ++i)
      if (frozen_[i] == 0) result_.flows[i].value = flows_[i].weight == 0 ? flows_[i].lower : flows_[i].upper;
    return std::move(result_);
  }

 private:
  // The level at which a link is full if nobody is frozen before; nullopt: never.
  std::optional<Level> full_at(std::uint32_t link) {
    LinkFill& fill = links_[link];
    const std::span<const std::uint32_t> turns = link_turns_.of(link);
    for (;; ++fill.cursor) {
      while (fill.cursor < turns.size() && frozen_[turns_[turns[fill.cursor]].flow] != 0) ++fill.cursor;
      const bool is_last = fill.cursor == turns.size();
      if (fill.slope > 0) {
        const Level full{static_cast<std::uint64_t>(fill.capacity - fill.fixed), fill.slope};
        if (is_last || !(turns_[turns[fill.cursor]].level < full)) return full;
      }
      if (is_last) return std::nullopt;
      take(fill, turns[fill.cursor]);
    }
  }

  void take(LinkFill& fill, std::uint32_t rank) {
    const Turn& turn = turns_[rank];
    const Flow& flow = flows_[turn.flow];
    if (turn.arrives) {
      fill.fixed += flow.upper;
      fill.slope -= flow.weight;
    } else {
      fill.fixed -= flow.lower;
      fill.slope += flow.weight;
    }
    fill.next_rank = rank + 1;
  }

  // Everybody on a full link keeps what the level has given him.
  void close(std::uint32_t full, const Level& level) {
    result_.closed[full] = 1;
    for (const std::uint32_t i : members_.of(full)) {
      if (frozen_[i] != 0) continue;
      const Flow& flow = flows_[i];
      Filled& filled = result_.flows[i];
      filled.value = value_at(level, flow);
      if (filled.value < flow.upper && flow.weight > 0) filled.bottleneck = full;
      for (const std::uint32_t link : flow.links) settle(links_[link], i, filled.value);
      frozen_[i] = 1;
    }
  }

  // From now on the link carries `value` of the flow, whatever the level.
  void settle(LinkFill& fill, std::uint32_t i, std::uint64_t value) {
    const Flow& flow = flows_[i];
    fill.fixed += value;
    if (turns_.of(i).arrives < fill.next_rank)
      fill.fixed -= flow.upper;
    else if (turns_.of(i).rises < fill.next_rank)
      fill.slope -= flow.weight;
    else
      fill.fixed -= flow.lower;
  }

  std::span<const Flow> flows_;
  Turns turns_;
  std::vector<LinkFill> links_;
  PerLink members_;     // flows
  PerLink link_turns_;  // ranks, in order
  std::vector<std::uint8_t> frozen_;
  std::priority_queue<Candidate> heap_;
  Filling result_;
};

}  // namespace

Filling fill(std::span<const Flow> flows, std::span<const std::uint64_t> capacities) {
  return Filler(flows, capacities).run();
}

}  // namespace foreflow::allocate
