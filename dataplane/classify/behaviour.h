// SPDX-License-Identifier: Apache-2.0
// What kind of traffic a flow without usable payload looks like, by the sizes, directions, times and bytes of its first
// payloads. A guess of low confidence, never more.
// Place: dataplane/classify, in a conversation; asked only when all else has failed. The model is fitted and judged by
// scripts/train-behaviour; over folds that share no capture it finds 68 % of each of five classes, where chance
// finds 20.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "dataplane/classify/classifier.h"
#include "dataplane/net/octets.h"

namespace foreflow::classify {

std::string_view to_string(Behaviour behaviour) noexcept;  // "-" for none

struct BehaviourGuess {
  Behaviour behaviour = Behaviour::kNone;
  std::uint8_t confidence = 0;  // percent
};

// The first payloads of one flow, as sums.
class PacketShape {
 public:
  static constexpr std::uint8_t kMostPayloads = 10;
  static constexpr std::uint8_t kLeastPayloads = 3;  // before which nothing is said
  // One, UDP or not, then numbers between 0 and 2: mean size, parts of small and of large ones, spread of sizes,
  // changes of direction, how one-sided packets and bytes are, mean gap, spread of gaps, distinct values among first
  // bytes.
  using Features = std::array<float, 12>;

  // A payload, not empty; `sender` is one of two numbers.
  void add(std::uint8_t sender, net::Octets payload, std::uint64_t time_ns) noexcept;
  bool is_full() const noexcept { return count_ == kMostPayloads; }  // more is not looked at
  Features features(bool is_udp) const noexcept;
  // None when there are too few payloads, or no class is likelier than all others together.
  BehaviourGuess guess(bool is_udp) const noexcept;

 private:
  bool is_beacon() const noexcept;
  float mean_gap() const noexcept;
  float gap_spread() const noexcept;

  std::uint64_t last_ns_ = 0;
  float bytes_ = 0, squares_ = 0;  // of sizes
  float bytes_of_first_ = 0;       // sent by who sent the first one
  float microseconds_ = 0, gap_squares_ = 0;
  std::uint16_t distinct_ = 0;  // values among the first 32 bytes, over `judged_` payloads
  std::uint8_t judged_ = 0;
  std::uint8_t count_ = 0, of_first_ = 0, turns_ = 0, small_ = 0, large_ = 0;
  std::uint8_t first_sender_ = 0, last_sender_ = 0;
};
static_assert(sizeof(PacketShape) <= 48);

}  // namespace foreflow::classify
