// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/service_file.h"

#include <vector>

#include <fmt/format.h>

#include "dataplane/classify/names.h"

namespace foreflow::classify {
namespace {

void read_category(TomlTable& table, Category category, const AddEntry& add) {
  for (const auto& name : table.keys()) {
    std::vector<std::string> entries;
    table.read(name, entries);
    const auto id = app_names().id_of(name);
    if (!id)
      return table.error(name, fmt::format("a process can know {} services, over all reloads; no more", kMostApps - 1));
    for (const auto& entry : entries)
      if (const auto wrong = add(entry, {*id, category}); !wrong.empty()) table.error(name, wrong);
  }
}

}  // namespace

Status read_service_file(Result<TomlDocument> document, const AddEntry& add) {
  if (!document) return tl::unexpected(document.error());
  auto& root = document->root();
  for (const auto& key : root.keys()) {
    const auto category = parse_category(key);
    auto table = root.table(key);
    if (!category || *category == Category::kUnknown)
      root.error(key, fmt::format("'{}' is no category; one of {}", key,
                                  fmt::join(kCategoryNames.begin() + 1, kCategoryNames.end(), ", ")));
    else if (table)
      read_category(*table, *category, add);
  }
  root.finish();
  return document->check();
}

}  // namespace foreflow::classify
