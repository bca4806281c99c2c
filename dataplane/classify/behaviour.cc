// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/behaviour.h"

#include <algorithm>
#include <bitset>
#include <cmath>

#include "dataplane/classify/behaviour_weights.h"

namespace foreflow::classify {
namespace {

// In the order of the table's rows.
constexpr std::array kClasses{Behaviour::kInteractive, Behaviour::kBulk, Behaviour::kStreaming, Behaviour::kRealTime,
                              Behaviour::kRequestResponse};
static_assert(kClasses.size() == kBehaviourWeights.size());
static_assert(std::tuple_size_v<PacketShape::Features> == kBehaviourWeights[0].size());

constexpr std::size_t kSmall = 100, kLarge = 1'000, kJudged = 32;  // bytes
constexpr float kLikely = .5F;
constexpr float kMostConfidence = 40;
// A beacon calls home at even, long intervals and says little.
constexpr float kBeaconGap = 5e6F, kBeaconSpread = .15F, kBeaconSize = 600;
constexpr std::uint8_t kBeaconPayloads = 5;

std::uint16_t distinct_values(net::Octets bytes) noexcept {
  std::bitset<256> seen;
  for (std::size_t i = 0; i < kJudged; ++i) seen.set(bytes.u8(i));
  return static_cast<std::uint16_t>(seen.count());
}

// Standard deviation over mean, of `count` values with this sum and sum of squares.
float spread(float sum, float squares, float count) noexcept {
  const auto mean = sum / count;
  return mean > 0 ? std::sqrt(std::max(squares / count - mean * mean, 0.F)) / mean : 0;
}

}  // namespace

std::string_view to_string(Behaviour behaviour) noexcept {
  constexpr std::array<std::string_view, 8> kNames{"-",         "interactive",      "bulk",   "streaming",
                                                   "real_time", "request_response", "beacon", "scan"};
  return kNames[static_cast<std::size_t>(behaviour)];
}

void PacketShape::add(std::uint8_t sender, net::Octets payload, std::uint64_t time_ns) noexcept {
  if (count_ == kMostPayloads) return;
  const auto size = static_cast<float>(payload.whole_size());
  if (count_ == 0) {
    first_sender_ = sender;
  } else {
    const auto gap = time_ns > last_ns_ ? static_cast<float>(time_ns - last_ns_) / 1e3F : 0;
    microseconds_ += gap;
    gap_squares_ += gap * gap;
    if (sender != last_sender_) ++turns_;
  }
  last_ns_ = time_ns;
  last_sender_ = sender;
  ++count_;
  bytes_ += size;
  squares_ += size * size;
  if (sender == first_sender_) ++of_first_, bytes_of_first_ += size;
  if (payload.whole_size() < kSmall) ++small_;
  if (payload.whole_size() >= kLarge) ++large_;
  if (payload.size() >= kJudged)
    ++judged_, distinct_ = static_cast<std::uint16_t>(distinct_ + distinct_values(payload));
}

float PacketShape::mean_gap() const noexcept { return microseconds_ / static_cast<float>(count_ - 1); }
float PacketShape::gap_spread() const noexcept {
  return spread(microseconds_, gap_squares_, static_cast<float>(count_ - 1));
}

PacketShape::Features PacketShape::features(bool is_udp) const noexcept {
  if (count_ < 2) return {};
  const auto count = static_cast<float>(count_);
  return {1,
          is_udp ? 1.F : 0.F,
          std::log2(1 + bytes_ / count) / 11,
          static_cast<float>(small_) / count,
          static_cast<float>(large_) / count,
          std::min(spread(bytes_, squares_, count), 2.F),
          static_cast<float>(turns_) / (count - 1),
          std::abs(2 * static_cast<float>(of_first_) / count - 1),
          std::abs(2 * bytes_of_first_ / bytes_ - 1),
          std::log10(1 + mean_gap()) / 8,
          std::min(gap_spread(), 3.F) / 3,
          judged_ == 0 ? 0 : static_cast<float>(distinct_) / static_cast<float>(judged_) / kJudged};
}

bool PacketShape::is_beacon() const noexcept {
  return count_ >= kBeaconPayloads && mean_gap() >= kBeaconGap && gap_spread() < kBeaconSpread &&
         bytes_ / static_cast<float>(count_) < kBeaconSize;
}

BehaviourGuess PacketShape::guess(bool is_udp) const noexcept {
  if (count_ < kLeastPayloads) return {};
  if (is_beacon()) return {Behaviour::kBeacon, static_cast<std::uint8_t>(kMostConfidence)};
  const auto x = features(is_udp);
  std::array<float, kClasses.size()> odds{};
  float sum = 0;
  for (std::size_t i = 0; i < odds.size(); ++i) {
    float score = 0;
    for (std::size_t j = 0; j < x.size(); ++j) score += kBehaviourWeights[i][j] * x[j];
    sum += odds[i] = std::exp(score);
  }
  const auto best = static_cast<std::size_t>(std::max_element(odds.begin(), odds.end()) - odds.begin());
  const auto probability = odds[best] / sum;
  if (probability < kLikely) return {};
  return {kClasses[best], static_cast<std::uint8_t>(kMostConfidence * probability)};
}

}  // namespace foreflow::classify
