// SPDX-License-Identifier: Apache-2.0
// Strict reading of TOML configurations: every key must be asked for, every mistake is reported with file and line, and
// all of them at once.
// Place: common; dataplane/config and host/model turn files into their structs with it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow {

// A table of the document. Members read a key into `out` when it is there and leave `out` alone when it is not; what is
// there but wrong becomes a reason in the document. Copies share their state.
class TomlTable {
 public:
  bool has(std::string_view key) const;

  void read(std::string_view key, std::string& out);
  void read(std::string_view key, bool& out);
  void read(std::string_view key, double& out);
  // Also refuses what lies outside of [least, most].
  void read(std::string_view key, std::uint64_t& out, std::uint64_t least = 0, std::uint64_t most = INT64_MAX);
  void read(std::string_view key, std::uint32_t& out, std::uint32_t least = 0, std::uint32_t most = UINT32_MAX);
  void read(std::string_view key, std::vector<std::string>& out);
  void read(std::string_view key, std::vector<std::uint32_t>& out);
  void read(std::string_view key, std::filesystem::path& out);

  // A string that `parse` understands: parse_rate, parse_duration, ...
  template <typename T, typename Parse>
  void read(std::string_view key, T& out, Parse parse) {
    std::string text;
    if (!has(key)) return note(key);
    read(key, text);
    if (auto value = parse(std::string_view(text)))
      out = *value;
    else if (!text.empty())
      error(key, value.error().message);
  }

  // One of a fixed set of words.
  template <typename T>
  void read_word(std::string_view key, T& out, std::initializer_list<std::pair<std::string_view, T>> words) {
    std::string text;
    if (!has(key)) return note(key);
    read(key, text);
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == text) {
        out = value;
        return;
      }
      known += (known.empty() ? "'" : ", '") + std::string(word) + "'";
    }
    if (!text.empty()) error(key, "'" + text + "' is not one of " + known);
  }

  // A missing key is a reason.
  void require(std::string_view key);

  std::optional<TomlTable> table(std::string_view key);
  std::vector<TomlTable> tables(std::string_view key);  // [[key]]
  bool is_table(std::string_view key) const;
  std::vector<std::string> keys() const;  // in order of the alphabet; for tables whose keys are names of the user's
  // "policy.toml:12": where `key` stands (the table itself when it is empty or missing).
  std::string where(std::string_view key) const;

  // Adds a reason at the line of `key` (of the table itself when it is empty or missing).
  void error(std::string_view key, std::string_view reason);
  // `key` or something below it has a reason already: what else could be said of it may only follow from that.
  bool is_wrong(std::string_view key) const;
  // Every key that nobody asked for is a reason, with the nearest known key as a suggestion. Call last.
  void finish();

 private:
  friend class TomlDocument;
  struct State;
  explicit TomlTable(std::shared_ptr<State> state);
  void note(std::string_view key);
  std::shared_ptr<State> state_;
};

class TomlDocument {
 public:
  // kNotFound, kIo, or kInvalidConfig with the line of the syntax error. Files over 4 MiB are refused.
  static Result<TomlDocument> load(const std::filesystem::path& file);
  static Result<TomlDocument> parse(std::string_view text, std::string_view name);

  TomlTable& root() { return root_; }
  // kInvalidConfig with every reason, one per line, in order of lines; success when there is none.
  Status check() const;

 private:
  explicit TomlDocument(TomlTable root) : root_(std::move(root)) {}
  TomlTable root_;
};

// The candidate nearest to `word` by edit distance, if it is near enough to be a typing error.
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace foreflow
