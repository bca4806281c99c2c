// SPDX-License-Identifier: Apache-2.0
// A short link whose device lends, inside a step of 5 minutes: traffic of every 10 ms through the production meters.
// Place: host/app/backtest, for `lending`. The arithmetic is common/meter's, in the order of the dataplane's
// police::admit; time is injected.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <vector>

#include "common/meter/lending.h"
#include "common/meter/residual.h"
#include "common/meter/token_bucket.h"
#include "common/meter/two_rate.h"
#include "common/units.h"

namespace foreflow::backtest {

inline constexpr std::uint64_t kTickNs = 10'000'000;

// How traffic of a known mean is spread over ticks: runs of ticks at one rate, the rates gamma distributed. A VM's
// traffic is that of as many clients as its mean says; the more there are, the smoother they are together. Measured on
// captures of single clients (medians of 34 slices of 20 s).
struct Burstiness {
  double variation = 54;   // of a client: variance of a tick's bytes over the square of their mean
  double client = 10'000;  // bytes per second, mean
  double run = 2.2;        // ticks, mean
};

// Bytes per tick, their sum as `mean` (bytes per second) says. `random` decides the places of the bursts.
std::vector<double> spread(double mean, std::size_t ticks, const Burstiness& burstiness, std::mt19937_64& random);

struct MeteredVm {
  BytesPerSecond cir;
  BytesPerSecond pir;        // >= cir
  std::uint32_t weight = 1;  // of its share of what is lent; >= 1
};

struct TickFigures {
  double demand = 0;  // bytes
  double unserved = 0;
  double unavoidable = 0;  // beyond what the link carries in the tick
  double capped_too = 0;   // the same, and what is beyond each VM's own cap, were there no other VM
  double capped = 0;       // of what is unserved: above PIR
  double collided = 0;     // of what is unserved: let through, but beyond what the link carries in the tick
  TickFigures& operator+=(const TickFigures& other);
};

// One link. Rates change with configure(); buckets and what is lent go on. Thread safety: none.
class MeteredLink {
 public:
  MeteredLink(BytesPerSecond capacity, std::size_t vms);

  // Bursts as the manager sets them.
  void configure(std::span<const MeteredVm> vms);
  // traffic[vm][tick], all of one length. What the meters let through beyond the link's capacity in a tick is unserved
  // as well.
  TickFigures run(std::span<const std::vector<double>> traffic);

 private:
  struct Vm {
    meter::TwoRateMeter meter;
    meter::Borrower borrower;
    meter::TokenBucket alone;  // its cap, were all within it served
    double owed = 0;           // bytes that are not yet a frame
  };
  struct Frames {
    double passed = 0;  // bytes
    double refused = 0;
    double red = 0;         // of them
    double beyond_cap = 0;  // of a VM that is alone
  };
  void tick(std::span<const std::vector<double>> traffic, std::size_t tick, TickFigures& figures);
  void poll(Vm& vm, double bytes, Frames& frames);
  meter::Colour admit(Vm& vm, Bytes size, bool& passes);

  BytesPerSecond capacity_;
  std::uint64_t now_ns_;
  meter::Residual residual_;
  meter::Lending lending_{1};
  meter::Lender lender_;
  std::vector<std::unique_ptr<Vm>> vms_;
};

}  // namespace foreflow::backtest
