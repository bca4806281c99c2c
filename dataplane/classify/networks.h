// SPDX-License-Identifier: Apache-2.0
// Which service an address belongs to, where its operator has networks for that service alone and publishes them.
// Place: dataplane/classify, beside ServiceTable; asked when a flow states no name. Filled at load, then immutable, so
// any number of workers may look up: a binary search, no allocation.
#pragma once
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "dataplane/classify/services.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

class NetworkTable {
 public:
  // Adds the networks of a file: one table per category, in it `service = ["192.0.2.0/24", "2001:db8::/32", ...]`. An
  // address belongs to one service. Every mistake at once, with file and line; after an error the table is not to be
  // used.
  Status add(const std::filesystem::path& file);
  Status add(std::string_view text, std::string_view name);

  // App 0 when the address is of none. IPv4 as net::parse has it, mapped into IPv6.
  Service find(const net::IpAddress& address) const noexcept;
  std::size_t network_count() const noexcept { return networks_.size(); }

 private:
  struct Network {
    net::IpAddress first, last;
    Service service;
  };

  Status read(Result<TomlDocument> document);
  static std::optional<Network> parse(std::string_view text);
  bool insert(const Network& network);  // false: part of it is there already

  std::vector<Network> networks_;  // in order, never overlapping
};

}  // namespace foreflow::classify
