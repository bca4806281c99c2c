// SPDX-License-Identifier: Apache-2.0
#include "common/toml_reader.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <numeric>
#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

namespace foreflow {
namespace {

constexpr std::uintmax_t kLargestFile = 4u << 20;

struct Reason {
  std::uint32_t line;
  std::string text;
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto substitute = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j + 1] + 1, row[j] + 1, substitute});
    }
  }
  return row[b.size()];
}

// What all tables of one document share.
struct Document {
  std::string name;
  toml::table root;
  std::vector<Reason> reasons;
};

}  // namespace

struct TomlTable::State {
  std::shared_ptr<Document> document;
  const toml::table* table;
  std::string path;  // "port[1]." or ""
  std::vector<std::string> asked;

  const toml::node* find(std::string_view key) {
    asked.emplace_back(key);
    return table->get(key);
  }

  std::uint32_t line(std::string_view key) const {
    const auto* node = key.empty() ? nullptr : table->get(key);
    return node ? node->source().begin.line : table->source().begin.line;
  }
};

TomlTable::TomlTable(std::shared_ptr<State> state) : state_(std::move(state)) {}

bool TomlTable::has(std::string_view key) const { return state_->table->contains(key); }
bool TomlTable::is_table(std::string_view key) const {
  const auto* node = state_->table->get(key);
  return node != nullptr && node->is_table();
}
std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> keys;
  for (const auto& [key, node] : *state_->table) keys.emplace_back(key.str());
  return keys;
}
void TomlTable::note(std::string_view key) { state_->asked.emplace_back(key); }

std::string TomlTable::where(std::string_view key) const {
  return fmt::format("{}:{}", state_->document->name, state_->line(key));
}

void TomlTable::error(std::string_view key, std::string_view reason) {
  const auto line = state_->line(key);
  auto where = state_->path + std::string(key);
  if (where.ends_with('.')) where.pop_back();
  state_->document->reasons.push_back(
      {line, where.empty() ? std::string(reason) : fmt::format("{}: {}", where, reason)});
}

bool TomlTable::is_wrong(std::string_view key) const {
  const auto where = state_->path + std::string(key);
  return std::ranges::any_of(state_->document->reasons, [&](const Reason& reason) {
    return reason.text.starts_with(where) && reason.text.find_first_of(":.[", where.size()) == where.size();
  });
}

void TomlTable::read(std::string_view key, std::string& out) {
  if (const auto* node = state_->find(key)) {
    if (const auto value = node->value_exact<std::string>())
      out = *value;
    else
      error(key, "expected a string in quotes");
  }
}

void TomlTable::read(std::string_view key, bool& out) {
  if (const auto* node = state_->find(key)) {
    if (const auto value = node->value_exact<bool>())
      out = *value;
    else
      error(key, "expected true or false");
  }
}

void TomlTable::read(std::string_view key, double& out) {
  if (const auto* node = state_->find(key)) {
    const auto value = node->value<double>();
    if (value && node->is_number() && std::isfinite(*value))
      out = *value;
    else
      error(key, "expected a finite number");
  }
}

void TomlTable::read(std::string_view key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  const auto* node = state_->find(key);
  if (!node) return;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= least && static_cast<std::uint64_t>(*value) <= most)
    out = static_cast<std::uint64_t>(*value);
  else
    error(key, fmt::format("expected an integer from {} to {}", least, most));
}

void TomlTable::read(std::string_view key, std::uint32_t& out, std::uint32_t least, std::uint32_t most) {
  std::uint64_t wide = out;
  read(key, wide, static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most));
  out = static_cast<std::uint32_t>(wide);
}

void TomlTable::read(std::string_view key, std::vector<std::string>& out) {
  const auto* node = state_->find(key);
  if (!node) return;
  const auto* array = node->as_array();
  if (!array || !std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_string(); }))
    return error(key, "expected an array of strings");
  out.clear();
  for (const auto& item : *array) out.push_back(**item.as_string());
}

void TomlTable::read(std::string_view key, std::vector<std::uint32_t>& out) {
  const auto* node = state_->find(key);
  if (!node) return;
  const auto* array = node->as_array();
  const auto fits = [](const toml::node& item) {
    const auto value = item.value_exact<std::int64_t>();
    return value && *value >= 0 && *value <= UINT32_MAX;
  };
  if (!array || !std::all_of(array->begin(), array->end(), fits))
    return error(key, "expected an array of non-negative integers");
  out.clear();
  for (const auto& item : *array) out.push_back(static_cast<std::uint32_t>(**item.as_integer()));
}

void TomlTable::read(std::string_view key, std::filesystem::path& out) {
  std::string text = out.string();
  read(key, text);
  out = text;
}

void TomlTable::require(std::string_view key) {
  if (!has(key)) error(key, "is missing");
}

std::optional<TomlTable> TomlTable::table(std::string_view key) {
  const auto* node = state_->find(key);
  if (!node) return std::nullopt;
  const auto* table = node->as_table();
  if (!table) {
    error(key, fmt::format("expected a table: [{}]", key));
    return std::nullopt;
  }
  return TomlTable(
      std::make_shared<State>(State{state_->document, table, fmt::format("{}{}.", state_->path, key), {}}));
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  std::vector<TomlTable> found;
  const auto* node = state_->find(key);
  if (!node) return found;
  const auto* array = node->as_array();
  if (!array || !std::all_of(array->begin(), array->end(), [](const toml::node& item) { return item.is_table(); })) {
    error(key, fmt::format("expected tables: [[{}]]", key));
    return found;
  }
  for (std::size_t i = 0; i < array->size(); ++i)
    found.push_back(TomlTable(std::make_shared<State>(
        State{state_->document, array->get_as<toml::table>(i), fmt::format("{}{}[{}].", state_->path, key, i), {}})));
  return found;
}

void TomlTable::finish() {
  for (const auto& [key, node] : *state_->table) {
    const std::string_view name = key.str();
    if (std::find(state_->asked.begin(), state_->asked.end(), name) != state_->asked.end()) continue;
    const auto near = nearest(name, state_->asked);
    error(name, near ? fmt::format("unknown key; did you mean '{}'?", *near) : std::string("unknown key"));
  }
}

namespace {

std::shared_ptr<Document> make_document(std::string_view name, toml::table table) {
  return std::make_shared<Document>(Document{std::string(name), std::move(table), {}});
}

}  // namespace

Result<TomlDocument> TomlDocument::parse(std::string_view text, std::string_view name) {
  try {
    auto document = make_document(name, toml::parse(text, std::string(name)));
    const auto* root = &document->root;
    return TomlDocument(TomlTable(std::make_shared<TomlTable::State>(TomlTable::State{document, root, "", {}})));
  } catch (const toml::parse_error& e) {
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}:{}: {}", name, e.source().begin.line, e.description()));
  }
}

Result<TomlDocument> TomlDocument::load(const std::filesystem::path& file) {
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error)
    return fail(error == std::errc::no_such_file_or_directory ? ErrorCode::kNotFound : ErrorCode::kIo,
                fmt::format("{}: {}", file.string(), error.message()));
  if (size > kLargestFile)
    return fail(ErrorCode::kInvalidConfig,
                fmt::format("{}: {} bytes; a configuration has at most {}", file.string(), size, kLargestFile));
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return fail(ErrorCode::kIo, fmt::format("{}: cannot be read", file.string()));
  return parse(text.str(), file.string());
}

Status TomlDocument::check() const {
  auto reasons = root_.state_->document->reasons;
  if (reasons.empty()) return {};
  std::stable_sort(reasons.begin(), reasons.end(), [](const Reason& a, const Reason& b) { return a.line < b.line; });
  std::string text;
  for (const auto& reason : reasons)
    text +=
        fmt::format("{}{}:{}: {}", text.empty() ? "" : "\n", root_.state_->document->name, reason.line, reason.text);
  return fail(ErrorCode::kInvalidConfig, text);
}

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates)
    if (const auto distance = edit_distance(word, candidate); distance < least) {
      least = distance;
      best = candidate;
    }
  return best;
}

}  // namespace foreflow
