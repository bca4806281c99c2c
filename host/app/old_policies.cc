// SPDX-License-Identifier: Apache-2.0
#include "host/app/old_policies.h"

#include <cstdint>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace foreflow::app {
namespace {

using nlohmann::json;

template <typename T>
void get(const json& from, const char* key, std::optional<T>& value) {
  if (!from.contains(key)) return;
  if constexpr (std::is_same_v<T, BytesPerSecond>)
    value = BytesPerSecond{from.at(key).get<std::uint64_t>()};
  else
    value = from.at(key).get<T>();
}

model::PolicyPatch patch_from(const json& from) {
  model::PolicyPatch patch;
  get(from, "tier", patch.tier);
  get(from, "group", patch.group);
  get(from, "shape", patch.shape);
  for (const auto direction : kBothDirections) {
    const auto d = index(direction);
    const auto& side = from.at(std::string(to_string(direction)));
    get(side, "guarantee", patch.guarantee[d]);
    get(side, "cap", patch.cap[d]);
    get(side, "weight", patch.weight[d]);
    get(side, "packets", patch.packets[d]);
  }
  return patch;
}

}  // namespace

Result<policy::Document> from_old_policies(const std::map<std::string, std::string>& rows) {
  policy::Document document;
  for (const auto& [vm, text] : rows) {
    try {
      document.vms.push_back({vm, patch_from(json::parse(text)), {}});
    } catch (const json::exception& e) {
      return fail(ErrorCode::kMalformed,
                  fmt::format("the policy of VM '{}', kept by an earlier version of Foreflow, cannot be read: {}", vm,
                              e.what()));
    }
  }
  return document;
}

}  // namespace foreflow::app
