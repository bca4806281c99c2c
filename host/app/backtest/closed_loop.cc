// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/closed_loop.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "host/allocate/max_min.h"
#include "host/allocate/round.h"
#include "host/allocate/track_record.h"
#include "host/allocate/trust.h"

namespace foreflow::backtest {
namespace {

constexpr double kMargin = 1.2;      // on the level that is forecast
constexpr double kPushes = 1.05;     // of what passes: a limited sender goes on probing
constexpr double kLeast = 1'000;     // bytes per second that every VM wants
constexpr double kQuantile = .95;    // about what the forecast's level is
constexpr std::size_t kPeriods = 9;  // of the reports that are looked at

BytesPerSecond rate(double value) { return {static_cast<std::uint64_t>(std::ceil(std::max(value, 0.)))}; }

// One VM as its dataplane reports it.
struct Guest {
  const predictor::Series* demand = nullptr;
  predictor::Series reported;  // its offered rates
  int direction = 0;           // of the last change of CIR
  std::uint64_t cir = 0;
  bool limited = false;
  BytesPerSecond forecast;  // for the step in progress
  allocate::TrackRecord record;
};

class Simulation {
 public:
  Simulation(const SharedLink& link, const Loop& loop) : link_(link), loop_(loop) {
    double sum = 0;
    for (const Member& member : link.members) sum += member.p99;
    capacity_ = loop.capacity * sum;
    // All of the scenario's capacity may be promised: the device's is larger by what never is.
    round_ = {
        .capacity = rate(capacity_ * 100 / allocate::kPromisablePercent), .link = link.name, .lending = loop.lending};
    for (std::size_t i = 0; i < link.members.size(); ++i) {
      round_.members.push_back(
          {.vm = VmId{static_cast<std::uint32_t>(i + 1)},
           .guarantee = rate(loop.guarantee * capacity_ * link.members[i].p99 / std::max(sum, kLeast)),
           .least = rate(kLeast),
           .hold_ns = loop.hold_steps * loop.step_ns});
      const predictor::SeriesView demand = link.members[i].recording->series.view();
      guests_.push_back({&link.members[i].recording->series, predictor::Series(demand.season, demand.phase)});
      end_ = std::min(end_, link.members[i].recording->series.size());
    }
  }

  Result<LoopFigures> run() {
    for (Guest& guest : guests_)
      for (std::size_t step = 0; step < loop_.first; ++step) guest.reported.push(demand_at(guest, step));
    for (std::size_t step = loop_.first; step < std::min(end_, loop_.last); ++step) {
      look_back(step);
      forecast(step);
      const auto solved = allocate::solve(round_);
      if (!solved)
        return fail(solved.error().code, fmt::format("{} at step {}: {}", link_.name, step, solved.error().message));
      install(*solved);
      send(*solved, step);
    }
    return figures_;
  }

 private:
  static double demand_at(const Guest& guest, std::size_t step) {
    const double value = guest.demand->view().values[step];
    return std::isnan(value) ? 0 : value;
  }

  void look_back(std::size_t step) {
    round_.now = {static_cast<std::int64_t>((step + 1) * loop_.step_ns)};
    if (!loop_.regret || loads_.empty()) return;
    if (!regret_.judge(round_.now, std::exchange(loads_, {}), rate(capacity_), loop_.lending)) return;
    ++figures_.rollbacks;
  }

  void forecast(std::size_t step) {
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      const double scale = step >= loop_.bad_from ? loop_.scale : 1;
      Guest& guest = guests_[i];
      allocate::Member& member = round_.members[i];
      const predictor::SeriesView past = guest.reported.view().last(kPeriods * guest.demand->view().season);
      const auto levels = demand_levels(past, kMargin);
      member.demand = rate(scale * *std::max_element(levels.begin(), levels.begin() + kRare + 1));
      member.peak = rate(scale * std::max(levels[kLevels - 1], levels[kRare]));
      member.limited = guest.limited;
      guest.forecast = member.demand;
      if (const auto instead = guest.record.instead(); instead && loop_.regret) {
        member.demand = std::max(member.demand, *instead);
        member.peak = std::max(member.peak, *instead);
      }
      const BytesPerSecond last = rate(past.values.back());
      const auto held = loop_.regret ? regret_.held(member.vm, round_.now) : std::nullopt;
      const auto doubt = allocate::doubt(member.demand, last, round_.capacity);
      member.known = !loop_.regret || (!held && doubt == allocate::Doubt::kNone);
      if (!member.known) member.demand = std::max(member.demand, last);
      if (held)
        member.previous =
            allocate::WantState{std::max(*held, member.previous ? member.previous->want : *held), std::nullopt};
    }
  }

  void install(const allocate::Solved& solved) {
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      const auto& outcome = solved.outcomes[i];
      Guest& guest = guests_[i];
      if (guest.limited && round_.members[i].previous && outcome.state.want < round_.members[i].previous->want)
        ++figures_.sunk;
      round_.members[i].previous = outcome.state;
      round_.members[i].installed = outcome.share.pir;
      const std::uint64_t cir = outcome.share.cir.value;
      figures_.cir += static_cast<double>(cir);
      const std::uint64_t change = cir > guest.cir ? cir - guest.cir : guest.cir - cir;
      if (guest.cir != 0 && change > guest.cir / 20) {
        const int direction = cir > guest.cir ? 1 : -1;
        figures_.reversals += direction == -guest.direction ? 1 : 0;
        guest.direction = direction;
      }
      if (guest.cir == 0 || change > guest.cir / 20) guest.cir = cir;
    }
  }

  // What passes of what each VM would send, and what its dataplane reports.
  void send(const allocate::Solved& solved, std::size_t step) {
    std::vector<double> passed;
    std::vector<double> wanted;
    for (const Guest& guest : guests_) wanted.push_back(demand_at(guest, step));
    if (loop_.lending)
      passed = lent(solved, wanted);
    else
      for (std::size_t i = 0; i < guests_.size(); ++i)
        passed.push_back(std::min(wanted[i], static_cast<double>(solved.outcomes[i].share.pir.value)));
    for (std::size_t i = 0; i < guests_.size(); ++i) {
      Guest& guest = guests_[i];
      guest.limited = passed[i] + 1 < wanted[i];
      const double offered = loop_.closed && guest.limited ? std::min(wanted[i], kPushes * passed[i]) : wanted[i];
      guest.reported.push(offered, guest.limited);
      guest.record.observe(guest.forecast, rate(offered), kQuantile);
      figures_.demand += wanted[i];
      figures_.unserved += wanted[i] - passed[i];
      figures_.limited_steps += guest.limited ? 1 : 0;
      ++figures_.vm_steps;
      const auto& outcome = solved.outcomes[i];
      loads_.push_back({outcome.share.vm, outcome.share.cir, outcome.share.pir, outcome.state.want, rate(offered)});
    }
  }

  std::vector<double> lent(const allocate::Solved& solved, const std::vector<double>& wanted) const {
    std::vector<allocate::Flow> flows;
    const std::vector<std::uint32_t> only{0};
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& share = solved.outcomes[i].share;
      const std::uint64_t wants = rate(wanted[i]).value;
      const std::uint64_t lower = std::min(wants, share.cir.value);
      flows.push_back({lower, std::max(lower, std::min(wants, share.pir.value)), 1, only});
    }
    const std::vector<std::uint64_t> capacity{rate(capacity_).value + flows.size()};
    const auto filling = allocate::fill(flows, capacity);
    std::vector<double> passed;
    for (std::size_t i = 0; i < wanted.size(); ++i)
      passed.push_back(std::min(wanted[i], static_cast<double>(filling.flows[i].value)));
    return passed;
  }

  const SharedLink& link_;
  const Loop& loop_;
  double capacity_ = 0;
  std::size_t end_ = std::numeric_limits<std::size_t>::max();
  allocate::Round round_;
  std::vector<Guest> guests_;
  std::vector<allocate::Load> loads_;
  allocate::Regret regret_;
  LoopFigures figures_;
};

}  // namespace

LoopFigures& LoopFigures::operator+=(const LoopFigures& other) {
  demand += other.demand;
  unserved += other.unserved;
  vm_steps += other.vm_steps;
  limited_steps += other.limited_steps;
  sunk += other.sunk;
  reversals += other.reversals;
  cir += other.cir;
  rollbacks += other.rollbacks;
  return *this;
}

Result<LoopFigures> run_loop(const SharedLink& link, const Loop& loop) { return Simulation(link, loop).run(); }

}  // namespace foreflow::backtest
