// SPDX-License-Identifier: Apache-2.0
// Two-rate meter of one VM and direction. Green (<= CIR) always passes; yellow (<= PIR) passes if the caller finds that
// the uplink has unused capacity; red never passes.
// Place: common/meter; the packet path, and the simulation of the allocator.
// An optional rate of packets stands beside the peak rate: what is over it is red as well.
// Source of the colours: RFC 2698, colour-blind, with the order of RFC 4115: a packet that is refused takes no tokens,
// so traffic over the cap does not eat the guarantee. Thread safety: none, the owner of a VM owns its meters.
#pragma once
#include <cstdint>

#include "common/meter/token_bucket.h"
#include "common/units.h"

namespace foreflow::meter {

enum class Colour : std::uint8_t { kGreen, kYellow, kRed };

struct TwoRate {
  BytesPerSecond cir;
  BytesPerSecond pir = kUnlimited;  // >= cir
  Bytes cbs;
  Bytes pbs;
  std::uint64_t packets_per_second = kAnyPackets;
  std::uint64_t packet_burst = 0;
  static constexpr std::uint64_t kAnyPackets = kUnlimited.value;
  bool operator==(const TwoRate&) const = default;
};

class TwoRateMeter {
 public:
  TwoRateMeter() = default;

  // A rate change earns the past at the old rate and never refills; the first call fills both buckets.
  void configure(const TwoRate& limit, std::uint64_t now_ns) noexcept {
    if (!configured_) {
      committed_ = TokenBucket(limit.cir, limit.cbs);
      peak_ = TokenBucket(limit.pir, limit.pbs);
      packets_ = TokenBucket({limit.packets_per_second}, {limit.packet_burst});
      configured_ = true;
      refill(now_ns);
      return;
    }
    refill(now_ns);
    committed_.set_rate(limit.cir, limit.cbs);
    peak_.set_rate(limit.pir, limit.pbs);
    packets_.set_rate({limit.packets_per_second}, {limit.packet_burst});
  }

  // Once per burst.
  void refill(std::uint64_t now_ns) noexcept {
    if (committed_.rate() != kUnlimited) committed_.refill(now_ns);
    if (peak_.rate() != kUnlimited) peak_.refill(now_ns);
    if (packets_.rate() != kUnlimited) packets_.refill(now_ns);
  }

  // What the packet would be; takes nothing.
  Colour colour(Bytes size) const noexcept {
    if (peak_.rate() != kUnlimited && !peak_.has(size)) return Colour::kRed;
    if (packets_.rate() != kUnlimited && !packets_.has(kPacket)) return Colour::kRed;
    return committed_.rate() == kUnlimited || committed_.has(size) ? Colour::kGreen : Colour::kYellow;
  }

  // Pays for a packet of the colour that colour() gave.
  void pay(Bytes size, Colour colour) noexcept {
    peak_.take(size);
    packets_.take(kPacket);
    if (colour == Colour::kGreen) committed_.take(size);
  }

 private:
  static constexpr Bytes kPacket{1};  // the bucket of packets counts them as bytes
  TokenBucket committed_;
  TokenBucket peak_;
  TokenBucket packets_{kUnlimited, {}};
  bool configured_ = false;
};

}  // namespace foreflow::meter
