// SPDX-License-Identifier: Apache-2.0
// The future is like the last w points: their empirical quantiles for every lead.
// Place: predictor/models. With a window as long as the history it is the climatology: what is usual, whatever the
// hour.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "predictor/models/model.h"

namespace foreflow::predictor {

class WindowQuantile final : public Model {
 public:
  static constexpr std::size_t kAll = static_cast<std::size_t>(-1);

  // The last `window` values, gaps not counted.
  WindowQuantile(std::string name, std::size_t window) : name_(std::move(name)), window_(window) {}

  std::string name() const override { return name_; }
  std::unique_ptr<FittedModel> fit(const SeriesView& series) const override;

 private:
  std::string name_;
  std::size_t window_;
};

}  // namespace foreflow::predictor
