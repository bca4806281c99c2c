// SPDX-License-Identifier: Apache-2.0
// Which protocol usually has a port: the last resort when a payload says nothing, and never more than a guess.
// Place: dataplane/classify; filled at load, then immutable.
#pragma once
#include <cstdint>
#include <map>
#include <utility>

#include "common/category.h"

namespace foreflow::classify {

class PortHints {
 public:
  struct Named {
    std::uint16_t protocol = 0;
    Category category = Category::kUnknown;
  };

  void add(std::uint8_t ip_protocol, std::uint16_t port, Named named) {
    auto [place, is_new] = by_port_.emplace(std::pair{ip_protocol, port}, named);
    if (!is_new && place->second.protocol != named.protocol) place->second = {};  // disputed
  }
  // Protocol 0 when no signature names the port, or signatures of several protocols do. No allocation.
  Named find(std::uint8_t ip_protocol, std::uint16_t port) const noexcept {
    const auto found = by_port_.find({ip_protocol, port});
    return found != by_port_.end() ? found->second : Named{};
  }

 private:
  std::map<std::pair<std::uint8_t, std::uint16_t>, Named> by_port_;
};

}  // namespace foreflow::classify
