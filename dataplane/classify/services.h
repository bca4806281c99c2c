// SPDX-License-Identifier: Apache-2.0
// Which service a host name belongs to: the longest known suffix of whole labels decides.
// Place: dataplane/classify; filled at load, then immutable, so any number of workers may look up.
// A trie of labels from the right ("com", "netflix", "www"), its edges in one flat hash table: a lookup probes once or
// twice for each label, whatever the number of services.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/category.h"
#include "common/result.h"

namespace foreflow {
class TomlDocument;
}  // namespace foreflow

namespace foreflow::classify {

struct Service {
  std::uint16_t app = 0;
  Category category = Category::kUnknown;
};

class ServiceTable {
 public:
  // Adds the services of a file: one table per category, in it `service = ["domain", ...]`. A label of a domain may be
  // `*`: exactly one label. Every mistake at once, with file and line; after an error the table is not to be used.
  Status add(const std::filesystem::path& file);
  Status add(std::string_view text, std::string_view name);

  // In any case of letters, with or without a dot at the end. Id 0 when there is none. No allocation.
  Service find(std::string_view host) const noexcept;
  std::size_t domain_count() const noexcept { return domains_; }

 private:
  using NodeId = std::uint32_t;  // 0 = the root, and "no such edge"
  struct Edge {
    NodeId parent = 0;
    NodeId node = 0;  // 0 = a free place
    std::uint32_t label_at = 0;
    std::uint8_t label_size = 0;
  };

  Status read(Result<TomlDocument> document);
  bool add_domain(std::string_view domain, Service service);  // false: it has a service already
  NodeId add_edge(NodeId parent, std::string_view label);
  NodeId child(NodeId parent, std::string_view label) const noexcept;
  std::size_t place_of(NodeId parent, std::string_view label) const noexcept;
  void grow();

  std::string labels_;
  std::vector<Edge> edges_;  // open addressing; a power of two, at most half full
  std::vector<Service> nodes_{Service{}};
  std::size_t domains_ = 0;
};

}  // namespace foreflow::classify
