// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/database_cache.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "common/crc32.h"
#include "common/files.h"
#include "common/log.h"

namespace foreflow::classify {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kMagic = "foreflow-patterns 1 ";
constexpr std::string_view kExtension = ".hsdb";
constexpr std::size_t kLargest = 256u << 20;

std::string name_for(std::string_view key) {  // FNV-1a; the key itself is compared when the file is read
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : key) hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x100000001b3;
  return fmt::format("{:016x}{}", hash, kExtension);
}

void report(const fs::path& file, std::string_view reason) {
  log::warning("signatures are compiled again", {{"cache", file.string()}, {"reason", reason}});
}

}  // namespace

Result<RegexDatabase> DatabaseCache::get(std::span<const NumberedPattern> patterns) {
  if (directory_.empty() || patterns.empty()) return compile(patterns);
  const auto key = fingerprint(patterns);
  const auto file = directory_ / name_for(key);
  if (auto known = read(file, key)) {
    ++hits_;
    return known;
  }
  auto compiled = compile(patterns);
  if (compiled) write(file, key, *compiled);
  return compiled;
}

RegexDatabase DatabaseCache::read(const fs::path& file, std::string_view key) {
  const auto content = read_file(file, kLargest);
  if (!content) {
    if (content.error().code != ErrorCode::kNotFound) report(file, content.error().message);
    return {};
  }
  const std::string_view text = *content;
  const auto end = text.find('\n');
  const auto body = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  if (body.size() < key.size() || text.substr(0, end) != fmt::format("{}{:08x} {}", kMagic, crc32(body), key.size())) {
    report(file, "it is damaged");
    return {};
  }
  if (body.substr(0, key.size()) != key) return {};  // another set with the same name
  auto database = deserialise(body.substr(key.size()));
  if (!database) report(file, "Hyperscan does not take it");
  return database;
}

void DatabaseCache::write(const fs::path& file, std::string_view key, const RegexDatabase& database) const {
  std::error_code error;
  fs::create_directories(directory_, error);
  const auto body = std::string(key) + serialise(*database);
  const auto header = fmt::format("{}{:08x} {}\n", kMagic, crc32(body), key.size());
  if (const auto status = replace_file(file, header + body); !status)
    log::warning("compiled signatures are not kept", {{"reason", status.error().message}});
  else
    forget_oldest();
}

void DatabaseCache::forget_oldest() const {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> files;
  for (fs::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == kExtension) files.emplace_back(it->last_write_time(error), it->path());
  std::sort(files.rbegin(), files.rend());
  for (std::size_t i = kMostFiles; i < files.size(); ++i) fs::remove(files[i].second, error);
}

}  // namespace foreflow::classify
