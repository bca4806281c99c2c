// SPDX-License-Identifier: Apache-2.0
// What the forecast service knows of one VM in one direction: its demand, and the model that goes along with it.
// Place: host/forecast, inside ForecastService.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "host/forecast/demand_history.h"
#include "host/forecast/service.h"
#include "predictor/models/tracked.h"
#include "predictor/optimize/allocation_law.h"
#include "predictor/select/select_model.h"

namespace foreflow::forecast {

// A model that many share, as one of the candidates.
class Shared final : public predictor::Model {
 public:
  explicit Shared(std::shared_ptr<const predictor::Model> model) : model_(std::move(model)) {}
  std::string name() const override { return model_->name(); }
  std::unique_ptr<predictor::FittedModel> fit(const predictor::SeriesView& series) const override {
    return model_->fit(series);
  }

 private:
  std::shared_ptr<const predictor::Model> model_;
};

// Who competes for each VM. `global`: what the last of them is, empty where all are local.
struct Candidates {
  predictor::Models models;
  std::string global;
};

// What is known of one VM in one direction, and the forecast made of it last.
struct TrackedDemand {
  TrackedDemand(const ForecastConfig& config, std::size_t salt_)
      : demand(config.interval_ns, config.history), salt(static_cast<IntervalIndex>(salt_)), tracked(config.horizon) {}

  mutable std::mutex mutex;
  DemandHistory demand;
  IntervalIndex salt;  // spreads the choices of models over the intervals

  predictor::Choice choice;
  std::shared_ptr<const Candidates> chosen_from;
  IntervalIndex chosen_in = -1;  // counts periods of reselect_every intervals
  // What the forecast was made for and from: the same again gives the same forecast.
  struct Basis {
    IntervalIndex end = -1;
    std::uint64_t revision = 0;
    IntervalIndex newest = -1;  // the newest interval where that is over
    float rate = 0;             // its
    bool operator==(const Basis&) const = default;
  };
  Basis basis;
  predictor::Tracked tracked;
  std::optional<predictor::Evidence> evidence;  // of `basis`, once somebody asked

  // The interval after those of `basis` is over, and of those nothing has changed.
  bool follows(const Basis& next) const {
    if (next.end != basis.end + 1 || next.revision != basis.revision) return false;
    const auto seen = demand.at(basis.newest);
    return basis.newest < 0 || (seen && seen->rate == basis.rate);
  }
};

}  // namespace foreflow::forecast
