// SPDX-License-Identifier: Apache-2.0
// A small fleet whose VMs each burst at an hour of their own: what a model of the whole fleet can learn and be asked
// about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "predictor/models/model.h"
#include "predictor/series/series.h"
#include "tests/unit/predictor/noise.h"

namespace foreflow::predictor::testing {

inline constexpr std::size_t kDay = 24;

// `days` of bursts, 50 times the level, at hour `hour` of each day, over uniform noise.
inline Series bursts(double level, std::size_t hour, std::size_t days, std::uint32_t seed) {
  Noise noise(seed);
  Series made(kDay);
  for (std::size_t i = 0; i < days * kDay; ++i) made.push(level * (.5 + noise.next()) * (i % kDay == hour ? 50 : 1));
  return made;
}

// What the trainer learns from 12 such VMs, small and large ones in turn.
inline std::unique_ptr<GlobalModel> trained_on_bursts(const Trainer& trainer) {
  std::vector<Series> fleet;
  for (std::uint32_t vm = 0; vm < 12; ++vm) fleet.push_back(bursts(vm % 2 == 0 ? 1e3 : 1e6, 2 * vm, 40, vm + 1));
  std::vector<SeriesView> views;
  views.reserve(fleet.size());
  for (const Series& one : fleet) views.push_back(one.view());
  return std::move(*trainer.train(views));
}

}  // namespace foreflow::predictor::testing
