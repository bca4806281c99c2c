// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/training.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace foreflow::backtest {
namespace {

predictor::Series observed_part(const Recording& recording, std::size_t rows) {
  const predictor::SeriesView all = recording.series.view();
  predictor::Series part(all.season, all.phase);
  for (std::size_t i = 0; i < std::min(rows, all.size()); ++i)
    if (recording.observed[i] != 0)
      part.push(all.values[i]);
    else
      part.push_gap();
  return part;
}

template <typename Wanted>
Result<std::shared_ptr<const predictor::GlobalModel>> train(const predictor::Trainer& trainer,
                                                            std::span<const Recording> fleet, std::size_t rows,
                                                            const Wanted& wanted) {
  std::vector<predictor::Series> parts;
  for (const Recording& recording : fleet)
    if (wanted(recording)) parts.push_back(observed_part(recording, rows));
  std::vector<predictor::SeriesView> views;
  views.reserve(parts.size());
  for (const predictor::Series& part : parts) views.push_back(part.view());
  auto trained = trainer.train(views);
  if (!trained) return tl::unexpected(trained.error());
  return std::shared_ptr<const predictor::GlobalModel>(std::move(*trained));
}

}  // namespace

std::size_t fold_of(std::string_view series) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : series) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  // The last characters have hardly moved the upper bits yet (finaliser of MurmurHash3).
  hash = (hash ^ (hash >> 33U)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33U)) * 0xc4ceb9fe1a85ec53U;
  return (hash ^ (hash >> 33U)) % kFolds;
}

Result<Trained> train_on_others(const predictor::Trainer& trainer, std::span<const Recording> fleet, std::size_t rows) {
  std::vector<std::shared_ptr<const predictor::GlobalModel>> by_fold;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    auto model = train(trainer, fleet, rows, [fold](const Recording& r) { return fold_of(r.name) != fold; });
    if (!model) return tl::unexpected(model.error());
    by_fold.push_back(std::move(*model));
  }
  return Trained(std::move(by_fold));
}

Result<Trained> train_on_all(const predictor::Trainer& trainer, std::span<const Recording> fleet, std::size_t rows) {
  auto model = train(trainer, fleet, rows, [](const Recording&) { return true; });
  if (!model) return tl::unexpected(model.error());
  return Trained(std::vector(kFolds, *model));
}

}  // namespace foreflow::backtest
