// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/services.h"

#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "common/toml_reader.h"
#include "dataplane/classify/names.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kLongestName = 255;

bool is_domain(std::string_view domain) {
  const auto is_fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; };
  return !domain.empty() && domain.size() <= kLongestName && domain.front() != '.' && domain.back() != '.' &&
         domain.find("..") == std::string_view::npos && std::all_of(domain.begin(), domain.end(), is_fine);
}

struct Entry {
  Service service;
  std::vector<std::string> domains;
};

Entry read_service(TomlTable& table) {
  std::string name, category;
  Entry entry;
  for (const auto* key : {"name", "category", "domains"}) table.require(key);
  table.read("name", name);
  table.read("category", category);
  table.read("domains", entry.domains);
  table.finish();
  const auto parsed = parse_category(category);
  if (!category.empty() && !parsed)
    table.error("category", fmt::format("'{}' is no category; one of {}", category, fmt::join(kCategoryNames, ", ")));
  if (const auto id = app_names().id_of(name)) {
    entry.service = {*id, parsed.value_or(Category::kUnknown)};
  } else {
    table.error("name", "no ids are left: a process can know 65535 services");
  }
  return entry;
}

}  // namespace

Result<ServiceTable> ServiceTable::load(const std::filesystem::path& file) {
  auto document = TomlDocument::load(file);
  if (!document) return tl::unexpected(document.error());
  return from(*document);
}

Result<ServiceTable> ServiceTable::parse(std::string_view text, std::string_view name) {
  auto document = TomlDocument::parse(text, name);
  if (!document) return tl::unexpected(document.error());
  return from(*document);
}

Result<ServiceTable> ServiceTable::from(TomlDocument& document) {
  ServiceTable services;
  auto& root = document.root();
  for (auto& table : root.tables("service")) {
    const auto entry = read_service(table);
    for (const auto& domain : entry.domains) {
      if (!is_domain(domain))
        table.error("domains",
                    fmt::format("'{}' is no domain; expected lower-case labels such as 'example.org'", domain));
      if (!services.domains_.emplace(domain, entry.service).second)
        table.error("domains", fmt::format("'{}' already belongs to a service", domain));
    }
  }
  root.finish();
  if (auto status = document.check(); !status) return tl::unexpected(status.error());
  return services;
}

Service ServiceTable::find(std::string_view host) const noexcept {
  std::array<char, kLongestName> buffer;
  if (host.size() > buffer.size()) return {};
  std::transform(host.begin(), host.end(), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  std::string_view rest(buffer.data(), host.size());
  if (rest.ends_with('.')) rest.remove_suffix(1);
  while (!rest.empty()) {
    if (const auto found = domains_.find(rest); found != domains_.end()) return found->second;
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  return {};
}

}  // namespace foreflow::classify
