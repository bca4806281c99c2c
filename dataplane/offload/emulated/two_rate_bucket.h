// SPDX-License-Identifier: Apache-2.0
// The device's own arithmetic: RFC 2698, colour-blind unless it is told a colour, on rates and bursts as the hardware
// can hold them. It shares no code with common/meter on purpose, so that each can be held against the other. Place:
// dataplane/offload/emulated. Thread safety: none, the meter's lock.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

namespace foreflow::offload::emulated {

enum class Colour : std::uint8_t { kGreen, kYellow, kRed };

// Nearest (1e9 * m) >> e with m <= 255, e <= 31, in bits per second. With the largest e that keeps m below 256 the
// grid is finest.
constexpr std::uint64_t hardware_rate(std::uint64_t bits_per_second) {
  constexpr std::uint64_t kUnit = 1'000'000'000;
  for (unsigned e = 31;; --e) {
    const auto scaled = static_cast<unsigned __int128>(bits_per_second) << e;
    const auto m = static_cast<std::uint64_t>((scaled + kUnit / 2) / kUnit);
    if (m <= 255) return (kUnit * m) >> e;
    if (e == 0) return 255 * kUnit;
  }
}

// m << e with eight bits of m, rounded up.
constexpr std::uint64_t hardware_burst(std::uint64_t bytes) {
  const int surplus = std::max(0, static_cast<int>(std::bit_width(bytes)) - 8);
  const std::uint64_t m = (bytes >> surplus) + ((bytes & ((std::uint64_t{1} << surplus) - 1)) != 0 ? 1 : 0);
  return m << surplus;
}

struct TwoRateProfile {
  std::uint64_t cir = 0;  // bits per second, on the grid
  std::uint64_t pir = 0;
  std::uint64_t cbs = 0;  // bytes
  std::uint64_t pbs = 0;
};

class TwoRateBucket {
 public:
  explicit TwoRateBucket(const TwoRateProfile& profile)
      : profile_(profile), committed_(capacity(profile.cbs)), peak_(capacity(profile.pbs)) {}

  // Tokens earned until then are the old rate's; nothing is refilled. `now_ns` 0: until the last packet.
  void retune(const TwoRateProfile& profile, std::uint64_t now_ns) {
    earn(now_ns);
    profile_ = profile;
    committed_ = std::min(committed_, capacity(profile.cbs));
    peak_ = std::min(peak_, capacity(profile.pbs));
  }

  // `before`: the colour that a meter before gave, where this one goes by it. (RFC 2698, colour-aware)
  Colour colour(std::uint32_t bytes, std::uint64_t now_ns, Colour before = Colour::kGreen) {
    earn(now_ns);
    const auto price = capacity(bytes);
    if (before == Colour::kRed || peak_ < price) return Colour::kRed;
    peak_ -= price;
    if (before == Colour::kYellow || committed_ < price) return Colour::kYellow;
    committed_ -= price;
    return Colour::kGreen;
  }

 private:
  // Tokens are bits times 1e9, so that bits per second times nanoseconds needs no division.
  using Tokens = unsigned __int128;
  static Tokens capacity(std::uint64_t bytes) { return static_cast<Tokens>(bytes) * 8'000'000'000; }

  void earn(std::uint64_t now_ns) {
    if (now_ns <= last_ns_) return;
    const Tokens passed = now_ns - last_ns_;
    last_ns_ = now_ns;
    committed_ = std::min(committed_ + passed * profile_.cir, capacity(profile_.cbs));
    peak_ = std::min(peak_ + passed * profile_.pir, capacity(profile_.pbs));
  }

  TwoRateProfile profile_;
  Tokens committed_;
  Tokens peak_;
  std::uint64_t last_ns_ = 0;
};

}  // namespace foreflow::offload::emulated
