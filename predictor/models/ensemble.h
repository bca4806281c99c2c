// SPDX-License-Identifier: Apache-2.0
// Several models as one: the median of their paths, with a band from the ensemble's own past errors.
// Place: predictor/models. The median ignores a member that has lost its way, without weights that would have to be
// learned. Source: Makridakis et al. 2020 (combinations in M4), Petropoulos & Svetunkov 2020 (median of four).
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "predictor/models/path_model.h"

namespace foreflow::predictor {

using PathModels = std::vector<std::unique_ptr<PathModel>>;

class Ensemble final : public PathModel {
 public:
  // Not empty. The band is measured on `scale`; each member works on its own.
  Ensemble(std::string name, Scale scale, PathModels members);

  std::size_t needs(std::size_t) const override { return 1; }
  // Members whose needs are not met stay out; where none is left the last value speaks.
  std::unique_ptr<Recursion> estimate(const Scaled& series) const override;

 private:
  PathModels members_;
};

}  // namespace foreflow::predictor
