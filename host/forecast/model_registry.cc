// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/model_registry.h"

#include <cstdio>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "common/files.h"
#include "common/sha256.h"

namespace foreflow::forecast {
namespace {

constexpr std::size_t kLargestModel = 256u << 20;

std::filesystem::path model_path(const std::filesystem::path& folder, const std::string& hash) {
  return folder / fmt::format("{}.model", hash.substr(0, 16));
}

// "key value" per line.
std::string text_of(const ModelCard& card) {
  return fmt::format("model {}\nhash {}\ntrained_at {}\nfrom {}\nto {}\nseries {}\nloss {}\nbefore {}\n", card.model,
                     card.hash, card.trained_at.value, card.from.value, card.to.value, card.series, card.loss,
                     card.before);
}

Result<ModelCard> card_of(const std::string& text, const std::filesystem::path& path) {
  std::map<std::string, std::string> values;
  std::istringstream lines(text);
  std::string key, value;
  while (lines >> key >> value) values[key] = value;
  ModelCard card;
  try {
    card = {.model = values.at("model"),
            .hash = values.at("hash"),
            .trained_at = {std::stoll(values.at("trained_at"))},
            .from = {std::stoll(values.at("from"))},
            .to = {std::stoll(values.at("to"))},
            .series = std::stoull(values.at("series")),
            .loss = std::stod(values.at("loss")),
            .before = std::stod(values.at("before"))};
  } catch (const std::exception&) {
    return fail(ErrorCode::kMalformed, fmt::format("{}: is not the card of a model", path.string()));
  }
  return card;
}

}  // namespace

Result<Registered> ModelRegistry::load(const predictor::Trainer& trainer) const {
  const auto path = folder_ / "card";
  const auto text = read_file(path, 4'096);
  if (!text) return tl::unexpected(text.error());
  auto card = card_of(*text, path);
  if (!card) return tl::unexpected(card.error());
  const auto bytes = read_file(model_path(folder_, card->hash), kLargestModel);
  if (!bytes) return fail(ErrorCode::kMalformed, fmt::format("{}: {}", path.string(), bytes.error().message));
  if (to_hex(sha256(*bytes)) != card->hash)
    return fail(ErrorCode::kMalformed,
                fmt::format("{}: its SHA-256 is not that of the card", model_path(folder_, card->hash).string()));
  auto model = trainer.load(*bytes);
  if (!model) return tl::unexpected(model.error());
  return Registered{std::move(*card), std::move(*model)};
}

Result<Registered> ModelRegistry::keep(ModelCard card, std::shared_ptr<const predictor::GlobalModel> model) {
  std::error_code error;
  if (std::filesystem::create_directories(folder_, error); error)
    return fail(ErrorCode::kIo, fmt::format("{}: {}", folder_.string(), error.message()));
  const auto bytes = model->save();
  card.model = model->name();
  card.hash = to_hex(sha256(bytes));
  const auto path = model_path(folder_, card.hash);
  if (auto kept = replace_file(path, bytes); !kept) return tl::unexpected(kept.error());
  if (auto kept = replace_file(folder_ / "card", text_of(card)); !kept) return tl::unexpected(kept.error());
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error))
    if (entry.path().extension() == ".model" && entry.path() != path) std::filesystem::remove(entry.path(), error);
  return Registered{std::move(card), std::move(model)};
}

}  // namespace foreflow::forecast
