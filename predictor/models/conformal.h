// SPDX-License-Identifier: Apache-2.0
// Keeps a VM's forecasts honest: quantiles are moved, each by its own offset, until as many values lie below them as
// were promised.
// Place: predictor/models; laid over any model, for one VM and one lead. Source: Gibbs & Candes 2021 (adaptive
// conformal inference), here on a power of demand and with steps in units of the residuals' spread. Additive there on
// purpose: a factor runs away on bursty demand, and never leaves a forecast of zero. The power is small, so that it is
// nearly the logarithm, on which a step that a quiet hour asks for costs a multiple of itself in the next burst.
#pragma once
#include <array>
#include <cstddef>
#include <deque>

#include "predictor/models/empirical.h"

namespace foreflow::predictor {

struct ConformalPlan {
  double first_step = .3;   // of the first correction, in spreads; steps fall with 1 / sqrt(points)
  double least_step = .08;  // but not below
  double furthest = 8;      // no offset is larger, in spreads
  double memory = 2'016;    // points that the spread is a mean of; short ones would step up further than down
};

// Thread safety: none. Constant memory.
class OnlineConformal {
 public:
  explicit OnlineConformal(const ConformalPlan& plan = {}) : plan_(plan) {}

  // A row of quantiles (kQuantiles), moved and put in order again; finite, not negative. What is moved up stays within
  // what has come so far.
  Quantiles correct(const Quantiles& row) const;
  // What came for the point of which the uncorrected row was `row`. NaN says nothing; a limited value only where it is
  // above a quantile.
  void learn(const Quantiles& row, double actual, bool limited = false);

  std::size_t points() const { return points_; }

 private:
  double moved(const Quantiles& row, std::size_t q) const;

  ConformalPlan plan_;
  Quantiles offset_{};  // on the bent scale
  double spread_ = 0;   // of the residuals to the median, on the bent scale
  double peak_ = 0;     // of what came
  std::size_t points_ = 0;
};

// The same for a lead of several points: a forecast is learned from when its time has come, not before.
// Thread safety: none. Memory: `lead` rows.
class LeadConformal {
 public:
  // lead: 1 = the next point.
  explicit LeadConformal(std::size_t lead, const ConformalPlan& plan = {}) : lead_(lead), correction_(plan) {}

  // Once per point: the uncorrected row for the point `lead` ahead, made before the next point is known.
  Quantiles correct(const Quantiles& row);
  // The same point again, as the model was fitted anew.
  Quantiles correct_again(const Quantiles& row);
  // Points were missed: nothing can be learned from the rows that wait.
  void skip() { waiting_.clear(); }
  // The next point has come.
  void arrive(double actual, bool limited = false);

  std::size_t points() const { return correction_.points(); }

 private:
  std::size_t lead_;
  OnlineConformal correction_;
  std::deque<Quantiles> waiting_;  // oldest first
};

}  // namespace foreflow::predictor
