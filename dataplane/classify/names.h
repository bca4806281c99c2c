// SPDX-License-Identifier: Apache-2.0
// Names of protocols and of services, and their ids for the life of the process.
// Place: dataplane/classify. Process-wide and append-only on purpose: flows outlive the signatures that named them, so
// an id must mean the same after every reload. A name keeps its id even when the signatures no longer have it.
#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace foreflow::classify {

inline constexpr std::size_t kMostProtocols = 8'192;  // a flow's record has 13 bits for one
inline constexpr std::size_t kMostApps = 65'536;

// Thread safety: all members may be called from any thread; not meant for the packet path.
class Names {
 public:
  // `zero`: the name of id 0. `most`: names that there can be, that one included; at most 65,536.
  Names(std::string_view zero, std::size_t most);

  // The id of `name`, a new one if it has none. Empty when all ids are taken.
  std::optional<std::uint16_t> id_of(std::string_view name);
  // The name of id 0 for an id that was never given. The view stays valid.
  std::string_view name_of(std::uint16_t id) const noexcept;
  std::size_t count() const noexcept;

 private:
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::deque<std::string> names_;  // never moves its elements
  std::unordered_map<std::string_view, std::uint16_t> ids_;
};

Names& protocol_names();
Names& app_names();

}  // namespace foreflow::classify
