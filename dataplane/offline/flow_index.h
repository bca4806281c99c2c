// SPDX-License-Identifier: Apache-2.0
// Finds a flow by its ends: open addressing with linear probing over the places of a vector that the caller keeps.
// Place: dataplane/offline. Grows with the flows; not for the packet path, where memory is fixed.
// The hash is seeded, so that a capture cannot be made to put all its flows into one chain.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <vector>

#include "dataplane/classify/conversation.h"

namespace foreflow::offline {

class FlowIndex {
 public:
  FlowIndex() : slots_(kLeastSlots) {
    std::random_device device;
    seed_ = std::uint64_t{device()} << 32 | device();
  }

  // The place of the flow with these ends, or `next` for one that is new, which then has this place.
  // `ends_at(place)`: the ends of a flow that was added before.
  template <typename EndsAt>
  std::uint32_t find_or_add(const classify::FlowEnds& ends, std::uint32_t next, EndsAt&& ends_at) {
    if (2 * std::size_t{next} >= slots_.size()) grow();
    const auto hash = hash_of(ends);
    auto at = hash & (slots_.size() - 1);
    for (; slots_[at].place_and_one != 0; at = (at + 1) & (slots_.size() - 1)) {
      const auto& slot = slots_[at];
      if (slot.hash == static_cast<std::uint32_t>(hash) && is_same(ends_at(slot.place_and_one - 1), ends))
        return slot.place_and_one - 1;
    }
    slots_[at] = {static_cast<std::uint32_t>(hash), next + 1};
    return next;
  }

 private:
  static constexpr std::size_t kLeastSlots = 256;

  struct Slot {
    std::uint32_t hash = 0;           // its lower half, which also gives the place to start at
    std::uint32_t place_and_one = 0;  // 0 = free
  };

  using Words = std::array<std::uint64_t, 4>;  // both addresses

  static Words words_of(const classify::FlowEnds& ends) noexcept {
    static_assert(sizeof(Words) == sizeof ends.address);
    return std::bit_cast<Words>(ends.address);
  }
  static bool is_same(const classify::FlowEnds& a, const classify::FlowEnds& b) noexcept {
    return words_of(a) == words_of(b) && a.port == b.port && a.ip_protocol == b.ip_protocol;
  }

  std::uint64_t hash_of(const classify::FlowEnds& ends) const noexcept {
    auto hash = seed_;
    for (const auto word : words_of(ends)) hash = mixed(hash ^ word);
    return mixed(hash ^ (std::uint64_t{ends.port[0]} << 32 | std::uint64_t{ends.port[1]} << 16 | ends.ip_protocol));
  }
  // A multiplication whose upper half is folded into the lower one: every bit of x reaches all bits of the result.
  static std::uint64_t mixed(std::uint64_t x) noexcept {
    __extension__ using Wide = unsigned __int128;
    const auto product = static_cast<Wide>(x ^ 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  void grow() {
    std::vector<Slot> grown(slots_.size() * 2);
    for (const auto& slot : slots_) {
      if (slot.place_and_one == 0) continue;
      auto at = slot.hash & (grown.size() - 1);
      while (grown[at].place_and_one != 0) at = (at + 1) & (grown.size() - 1);
      grown[at] = slot;
    }
    slots_ = std::move(grown);
  }

  std::vector<Slot> slots_;
  std::uint64_t seed_ = 0;
};

}  // namespace foreflow::offline
