// SPDX-License-Identifier: Apache-2.0
// Which service a host name belongs to: the longest known suffix of whole labels decides.
// Place: dataplane/classify; filled at load, then immutable, so any number of workers may look up.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/category.h"
#include "common/result.h"

namespace foreflow {
class TomlDocument;
}

namespace foreflow::classify {

struct Service {
  std::uint16_t app = 0;
  Category category = Category::kUnknown;
};

class ServiceTable {
 public:
  // Reads `[[service]]` tables with name, category and domains; every mistake at once, with file and line.
  static Result<ServiceTable> load(const std::filesystem::path& file);
  static Result<ServiceTable> parse(std::string_view text, std::string_view name);

  // In any case of letters. Id 0 when there is none. No allocation.
  Service find(std::string_view host) const noexcept;
  std::size_t size() const noexcept { return domains_.size(); }

 private:
  static Result<ServiceTable> from(TomlDocument& document);

  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, Service, Hash, std::equal_to<>> domains_;
};

}  // namespace foreflow::classify
