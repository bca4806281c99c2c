// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/metered_link.h"

#include <algorithm>
#include <cmath>

#include "host/allocate/limits.h"

namespace foreflow::backtest {
namespace {

constexpr std::uint64_t kPolls = 20;  // of a tick: each VM's packets come in so many bursts
constexpr std::uint64_t kPollNs = kTickNs / kPolls;
constexpr std::uint64_t kStartNs = 1'000'000'000;
constexpr double kFrame = 1'500;
constexpr double kMostFrames = 64;  // of a poll: faster traffic comes in larger pieces

double per_tick(BytesPerSecond rate) {
  return static_cast<double>(rate.value) * static_cast<double>(kTickNs) / static_cast<double>(kNanosPerSecond);
}

}  // namespace

std::vector<double> spread(double mean, std::size_t ticks, const Burstiness& burstiness, std::mt19937_64& random) {
  const double variation = burstiness.variation / std::max(mean / burstiness.client, 1.);
  std::gamma_distribution<double> rate(1 / variation, variation);
  std::geometric_distribution<std::size_t> length(1 / std::max(burstiness.run, 1.));
  std::vector<double> bytes;
  bytes.reserve(ticks);
  double sum = 0;
  while (bytes.size() < ticks) {
    const double level = rate(random);
    for (std::size_t left = 1 + length(random); left > 0 && bytes.size() < ticks; --left) {
      bytes.push_back(level);
      sum += level;
    }
  }
  const double total = mean * static_cast<double>(ticks * kTickNs) / static_cast<double>(kNanosPerSecond);
  for (double& value : bytes) value *= sum > 0 ? total / sum : 0;
  return bytes;
}

TickFigures& TickFigures::operator+=(const TickFigures& other) {
  demand += other.demand;
  unserved += other.unserved;
  unavoidable += other.unavoidable;
  capped_too += other.capped_too;
  capped += other.capped;
  collided += other.collided;
  return *this;
}

MeteredLink::MeteredLink(BytesPerSecond capacity, std::size_t vms)
    : capacity_(capacity), now_ns_(kStartNs), lender_(lending_, 0, vms) {
  residual_.set_capacity(capacity);
  for (std::size_t i = 0; i < vms; ++i) vms_.push_back(std::make_unique<Vm>());
}

void MeteredLink::configure(std::span<const MeteredVm> vms) {
  for (std::size_t i = 0; i < vms_.size(); ++i) {
    const MeteredVm& wanted = vms[i];
    const wire::Police limit = allocate::police({.vm = {}, .grant = wanted.cir, .cir = wanted.cir, .pir = wanted.pir},
                                                Direction::kEgress, {.weight = wanted.weight});
    vms_[i]->meter.configure({limit.cir, limit.pir, limit.cbs, limit.pbs}, now_ns_);
    vms_[i]->borrower.set_weight(limit.weight);
    vms_[i]->alone.refill(now_ns_);
    vms_[i]->alone.set_rate(limit.pir, limit.pbs);
  }
}

TickFigures MeteredLink::run(std::span<const std::vector<double>> traffic) {
  TickFigures figures;
  if (traffic.empty()) return figures;
  for (std::size_t i = 0; i < traffic.front().size(); ++i) tick(traffic, i, figures);
  return figures;
}

void MeteredLink::tick(std::span<const std::vector<double>> traffic, std::size_t tick, TickFigures& figures) {
  double demand = 0;
  for (const auto& of_vm : traffic) demand += of_vm[tick];
  Frames frames;
  for (std::uint64_t at = 0; at < kPolls; ++at) {
    now_ns_ += kPollNs;
    lender_.turn(capacity_, now_ns_);
    // Nobody is always first.
    for (std::size_t i = 0; i < vms_.size(); ++i) {
      const std::size_t vm = (i + at) % vms_.size();
      poll(*vms_[vm], traffic[vm][tick] / static_cast<double>(kPolls), frames);
    }
  }
  const double carried = per_tick(capacity_);
  figures.demand += demand;
  figures.unavoidable += std::max(demand - carried, 0.);
  figures.capped_too += frames.beyond_cap + std::max(demand - frames.beyond_cap - carried, 0.);
  const double collided = std::max(frames.passed - carried, 0.);
  figures.unserved += frames.refused + collided;
  figures.capped += frames.red;
  figures.collided += collided;
}

void MeteredLink::poll(Vm& vm, double bytes, Frames& frames) {
  vm.owed += bytes;
  vm.alone.refill(now_ns_);
  const auto frame = std::floor(std::max(kFrame, vm.owed / kMostFrames));
  for (; vm.owed >= frame; vm.owed -= frame) {
    const Bytes size{static_cast<std::uint64_t>(frame)};
    bool passes = false;
    const auto colour = admit(vm, size, passes);
    if (!vm.alone.take(size)) frames.beyond_cap += frame;
    (passes ? frames.passed : frames.refused) += frame;
    if (colour == meter::Colour::kRed) frames.red += frame;
  }
}

// As police::admit() of the dataplane, without groups.
meter::Colour MeteredLink::admit(Vm& vm, Bytes size, bool& passes) {
  vm.meter.refill(now_ns_);
  const auto colour = vm.meter.colour(size);
  if (colour == meter::Colour::kRed) return colour;
  if (colour == meter::Colour::kGreen) {
    residual_.charge(size, now_ns_);
    lender_.green(size);
  } else {
    lender_.enlist(vm.borrower);
    vm.borrower.refill(lender_.level(), now_ns_);
    const bool has_share = lender_.level().is_unlimited() || vm.borrower.may_borrow();
    if (!has_share || !residual_.borrow(size, now_ns_)) {
      vm.borrower.refused(now_ns_);
      return colour;
    }
    vm.borrower.borrow(size);
  }
  vm.meter.pay(size, colour);
  passes = true;
  return colour;
}

}  // namespace foreflow::backtest
