// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/boosted.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "predictor/features/demand_state.h"
#include "predictor/models/empirical.h"
#include "predictor/models/global/bytes.h"
#include "predictor/models/global/training_rows.h"

namespace foreflow::predictor {
namespace {

constexpr std::uint32_t kMagic = 0x54424646;  // "FFBT"
constexpr std::uint32_t kVersion = 1;
constexpr double kAbovePeak = 3;  // no forecast is above so many times the highest point seen

struct Band {
  LeadBand leads;
  QuantileTrees trees;
};
using Bands = std::vector<Band>;

class Fitted final : public FittedModel {
 public:
  Fitted(std::shared_ptr<const Bands> bands, const SeriesView& series)
      : bands_(std::move(bands)), state_(series.season, series.phase) {
    for (const double value : series.values) update(value, false);
  }

  QuantileForecast forecast(std::size_t horizon) const override {
    std::vector<Quantiles> rows(horizon);
    if (peak_ > 0) {
      std::array<float, kDemandFeatures> features{};
      state_.fill_now(features);
      for (std::size_t lead = 0; lead < horizon; ++lead) rows[lead] = at(lead, features);
    }
    return finish(rows, 0, "boosted");
  }

  void update(double value, bool) override {
    state_.push(value);
    if (std::isfinite(value)) peak_ = std::max(peak_, value);
  }

 private:
  Quantiles at(std::size_t lead, std::span<float> features) const {
    const auto band = std::ranges::find_if(*bands_, [lead](const Band& b) { return lead <= b.leads.last; });
    state_.fill_target(lead, features);
    std::array<float, kQuantiles.size()> relative{};
    (band == bands_->end() ? bands_->back() : *band).trees.predict(features, relative);
    std::sort(relative.begin(), relative.end());
    Quantiles quantiles{};
    for (std::size_t q = 0; q < quantiles.size(); ++q) {
      const double value = std::expm1(static_cast<double>(relative[q] + state_.level()));
      quantiles[q] = std::clamp(value, 0.0, kAbovePeak * peak_);
    }
    return quantiles;
  }

  std::shared_ptr<const Bands> bands_;
  DemandState state_;
  double peak_ = 0;
};

class Boosted final : public GlobalModel {
 public:
  explicit Boosted(Bands bands) : bands_(std::make_shared<const Bands>(std::move(bands))) {}

  std::string name() const override { return "boosted"; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override {
    return std::make_unique<Fitted>(bands_, series);
  }

  std::string save() const override {
    std::string bytes;
    put(bytes, kMagic);
    put(bytes, kVersion);
    put(bytes, kDemandFeaturesVersion);
    put(bytes, static_cast<std::uint64_t>(bands_->size()));
    for (const Band& band : *bands_) {
      put(bytes, static_cast<std::uint64_t>(band.leads.first));
      put(bytes, static_cast<std::uint64_t>(band.leads.last));
      band.trees.save(bytes);
    }
    return bytes;
  }

 private:
  std::shared_ptr<const Bands> bands_;
};

}  // namespace

Result<std::unique_ptr<GlobalModel>> BoostedTrainer::train(std::span<const SeriesView> fleet) const {
  Bands bands;
  for (const LeadBand& leads : plan_.bands) {
    const TrainingRows rows = draw_rows(fleet, {.first_lead = leads.first,
                                                .last_lead = leads.last,
                                                .rows = plan_.rows,
                                                .seed = plan_.trees.seed + leads.first});
    if (rows.size() < plan_.least_rows)
      return fail(ErrorCode::kInvalidArgument, "too little history to learn from: " + std::to_string(rows.size()) +
                                                   " points " + std::to_string(leads.first + 1) + " to " +
                                                   std::to_string(leads.last + 1) + " ahead, " +
                                                   std::to_string(plan_.least_rows) + " are needed");
    bands.push_back({leads, QuantileTrees::train(rows, plan_.trees)});
  }
  return std::make_unique<Boosted>(std::move(bands));
}

Result<std::unique_ptr<GlobalModel>> BoostedTrainer::load(std::string_view bytes) const {
  const auto magic = take<std::uint32_t>(bytes);
  const auto version = take<std::uint32_t>(bytes);
  const auto features = take<std::uint32_t>(bytes);
  const auto count = take<std::uint64_t>(bytes);
  if (!count || *magic != kMagic) return fail(ErrorCode::kMalformed, "not a saved model of boosted trees");
  if (*version != kVersion || *features != kDemandFeaturesVersion)
    return fail(ErrorCode::kUnsupported, "a model of version " + std::to_string(*version) + "." +
                                             std::to_string(*features) + "; this program reads " +
                                             std::to_string(kVersion) + "." + std::to_string(kDemandFeaturesVersion));
  Bands bands;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto first = take<std::uint64_t>(bytes);
    const auto last = take<std::uint64_t>(bytes);
    if (!last) return fail(ErrorCode::kMalformed, "the saved model is cut short");
    auto trees = QuantileTrees::load(bytes);
    if (!trees) return tl::unexpected(trees.error());
    if (trees->features() != kDemandFeatures || trees->quantiles() != kQuantiles.size())
      return fail(ErrorCode::kMalformed, "the saved model has other features or quantiles");
    bands.push_back({{*first, *last}, std::move(*trees)});
  }
  if (bands.empty()) return fail(ErrorCode::kMalformed, "the saved model is empty");
  return std::make_unique<Boosted>(std::move(bands));
}

}  // namespace foreflow::predictor
