// SPDX-License-Identifier: Apache-2.0
#include "predictor/models/global/lstm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "predictor/models/empirical.h"
#include "predictor/models/global/bytes.h"
#include "predictor/models/global/lstm_training.h"
#include "predictor/models/global/training_rows.h"

namespace foreflow::predictor {
namespace {

constexpr std::uint32_t kMagic = 0x4d4c4646;  // "FFLM"
constexpr std::uint32_t kVersion = 1;
constexpr double kAbovePeak = 3;  // no forecast is above so many times the highest point seen

struct Learned {
  LstmNet network;
  Standard standard;
};

class Fitted final : public FittedModel {
 public:
  Fitted(std::shared_ptr<const Learned> learned, const SeriesView& series)
      : learned_(std::move(learned)), season_(series.season), state_(series.season, series.phase) {
    for (const double value : series.values) update(value, false);
  }

  QuantileForecast forecast(std::size_t horizon) const override {
    std::vector<Quantiles> rows(horizon);
    if (peak_ > 0 && horizon > 0) {
      const LstmNet::Matrix told = features(horizon);
      const auto statics = static_cast<Eigen::Index>(learned_->network.shape().statics);
      const LstmNet::Matrix encoded = learned_->network.encode(told.leftCols(1));
      const LstmNet::Matrix outputs =
          learned_->network.decode(encoded.replicate(1, told.cols()), told.bottomRows(statics));
      for (std::size_t lead = 0; lead < horizon; ++lead)
        rows[lead] = demand(outputs.col(static_cast<Eigen::Index>(lead)));
    }
    return finish(rows, 0, "lstm");
  }

  void update(double value, bool) override {
    state_.push(value);
    if (std::isfinite(value)) peak_ = std::max(peak_, value);
  }

 private:
  // features x leads, standardised
  LstmNet::Matrix features(std::size_t horizon) const {
    const LstmShape& shape = learned_->network.shape();
    std::vector<float> first(shape.features());
    fill_history(state_, season_, shape.steps, first);
    const std::size_t before = shape.features() - kDemandFeatures;
    state_.fill_now(std::span(first).subspan(before));
    std::vector<float> all;
    all.reserve(horizon * first.size());
    for (std::size_t lead = 0; lead < horizon; ++lead) {
      state_.fill_target(lead, std::span(first).subspan(before));
      all.insert(all.end(), first.begin(), first.end());
    }
    return learned_->standard.apply(all);
  }

  Quantiles demand(const LstmNet::Vector& relative) const {
    Quantiles quantiles{};
    for (std::size_t q = 0; q < quantiles.size(); ++q) {
      const double value = std::expm1(static_cast<double>(relative[static_cast<Eigen::Index>(q)] + state_.level()));
      quantiles[q] = std::isfinite(value) ? std::clamp(value, 0.0, kAbovePeak * peak_) : kAbovePeak * peak_;
    }
    std::ranges::sort(quantiles);
    return quantiles;
  }

  std::shared_ptr<const Learned> learned_;
  std::size_t season_;
  DemandState state_;
  double peak_ = 0;
};

std::vector<float> plain(const Eigen::VectorXf& values) { return {values.data(), values.data() + values.size()}; }

class Lstm final : public GlobalModel {
 public:
  explicit Lstm(Learned learned) : learned_(std::make_shared<const Learned>(std::move(learned))) {}

  std::string name() const override { return "lstm"; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override {
    return std::make_unique<Fitted>(learned_, series);
  }

  std::string save() const override {
    std::string bytes;
    put(bytes, kMagic);
    put(bytes, kVersion);
    put(bytes, kDemandFeaturesVersion);
    const LstmShape& shape = learned_->network.shape();
    for (const std::size_t n : {shape.steps, shape.cells, shape.hidden}) put(bytes, static_cast<std::uint64_t>(n));
    put_all(bytes, plain(learned_->standard.mean));
    put_all(bytes, plain(learned_->standard.scale));
    put_all(bytes, plain(learned_->network.parameters()));
    return bytes;
  }

 private:
  std::shared_ptr<const Learned> learned_;
};

// Rows of all bands, of the series that `wanted` takes by their place in the fleet.
template <typename Wanted>
TrainingRows rows_of(std::span<const SeriesView> fleet, const LstmPlan& plan, std::size_t rows, const Wanted& wanted) {
  std::vector<SeriesView> some;
  for (std::size_t i = 0; i < fleet.size(); ++i)
    if (wanted(i)) some.push_back(fleet[i]);
  TrainingRows all{.features = plan.shape.features(), .values = {}, .targets = {}};
  for (const LeadBand& leads : plan.bands) {
    const TrainingRows part = draw_rows(some, {.first_lead = leads.first,
                                               .last_lead = leads.last,
                                               .rows = rows,
                                               .seed = plan.seed + leads.first,
                                               .history = plan.shape.steps});
    all.values.insert(all.values.end(), part.values.begin(), part.values.end());
    all.targets.insert(all.targets.end(), part.targets.begin(), part.targets.end());
  }
  return all;
}

std::optional<Eigen::VectorXf> take_finite(std::string_view& bytes, std::size_t count) {
  const auto values = take_all<float>(bytes);
  if (!values || values->size() != count) return std::nullopt;
  if (!std::ranges::all_of(*values, [](float value) { return std::isfinite(value); })) return std::nullopt;
  return Eigen::Map<const Eigen::VectorXf>(values->data(), static_cast<Eigen::Index>(count));
}

}  // namespace

Result<std::unique_ptr<GlobalModel>> LstmTrainer::train(std::span<const SeriesView> fleet) const {
  constexpr std::size_t kHeldOut = 8;  // every so-manieth series, of at least two
  const bool enough = fleet.size() >= kHeldOut;
  const auto rows = rows_of(fleet, plan_, plan_.rows, [enough](std::size_t i) { return !enough || i % kHeldOut != 0; });
  if (rows.size() < plan_.least_rows)
    return fail(ErrorCode::kInvalidArgument, "too little history to learn from: " + std::to_string(rows.size()) +
                                                 " points to forecast, " + std::to_string(plan_.least_rows) +
                                                 " are needed");
  const auto held_out =
      rows_of(fleet, plan_, plan_.rows / kHeldOut, [enough](std::size_t i) { return enough && i % kHeldOut == 0; });
  Standard standard = standard_of(rows);
  LstmNet network = learn(rows, held_out, standard, plan_);
  return std::make_unique<Lstm>(Learned{std::move(network), std::move(standard)});
}

Result<std::unique_ptr<GlobalModel>> LstmTrainer::load(std::string_view bytes) const {
  constexpr std::uint64_t kMost = 1'024;  // of steps, cells and hidden: beyond is damage
  const auto magic = take<std::uint32_t>(bytes);
  const auto version = take<std::uint32_t>(bytes);
  const auto features = take<std::uint32_t>(bytes);
  const auto steps = take<std::uint64_t>(bytes);
  const auto cells = take<std::uint64_t>(bytes);
  const auto hidden = take<std::uint64_t>(bytes);
  if (!hidden || *magic != kMagic) return fail(ErrorCode::kMalformed, "not a saved LSTM");
  if (*version != kVersion || *features != kDemandFeaturesVersion)
    return fail(ErrorCode::kUnsupported, "an LSTM of version " + std::to_string(*version) + "." +
                                             std::to_string(*features) + "; this program reads " +
                                             std::to_string(kVersion) + "." + std::to_string(kDemandFeaturesVersion));
  if (*steps == 0 || *cells == 0 || *hidden == 0 || std::max({*steps, *cells, *hidden}) > kMost)
    return fail(ErrorCode::kMalformed, "the saved LSTM has an impossible shape");
  const LstmShape shape{.steps = *steps, .statics = kDemandFeatures, .cells = *cells, .hidden = *hidden};
  auto mean = take_finite(bytes, shape.features());
  auto scale = take_finite(bytes, shape.features());
  auto parameters = take_finite(bytes, shape.parameters());
  if (!mean || !scale || !parameters || !bytes.empty())
    return fail(ErrorCode::kMalformed, "the saved LSTM is cut short or damaged");
  LstmNet network(shape, 0);
  network.parameters() = *parameters;
  return std::make_unique<Lstm>(Learned{std::move(network), {std::move(*mean), std::move(*scale)}});
}

}  // namespace foreflow::predictor
