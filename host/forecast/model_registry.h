// SPDX-License-Identifier: Apache-2.0
// The global model in force, kept through a restart, with what it was learned from and how good it was.
// Place: host/forecast.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/result.h"
#include "common/units.h"
#include "predictor/models/model.h"

namespace foreflow::forecast {

struct ModelCard {
  std::string model;  // its name
  std::string hash;   // SHA-256 of its bytes
  UnixNanos trained_at;
  UnixNanos from, to;        // of the demand that it was learned from
  std::uint64_t series = 0;  // how many
  double loss = 0;           // mean pinball loss on the demand held out, relative to each series' mean
  double before = 0;         // of what was in force until then
  bool operator==(const ModelCard&) const = default;
};

struct Registered {
  ModelCard card;
  std::shared_ptr<const predictor::GlobalModel> model;
};

// Thread safety: none.
class ModelRegistry {
 public:
  explicit ModelRegistry(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The newest one. kNotFound: none was ever kept; kMalformed: the card or the model is damaged, or they do not belong
  // together; kUnsupported: of another version.
  Result<Registered> load(const predictor::Trainer& trainer) const;

  // Model first, card last: a crash in between leaves the former pair in force. Fills in the card's name and hash.
  Result<Registered> keep(ModelCard card, std::shared_ptr<const predictor::GlobalModel> model);

 private:
  std::filesystem::path folder_;
};

}  // namespace foreflow::forecast
