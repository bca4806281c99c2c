// SPDX-License-Identifier: Apache-2.0
// The categories of applications: what `vm_app` counts and what policies may name.
// Place: common; the dataplane classifies into them, the manager stores one field per category.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace foreflow {

// Order is part of the wire format: append only.
enum class Category : std::uint8_t {
  kUnknown,
  kWeb,
  kDatabase,
  kVideo,
  kVoipConferencing,
  kFileTransfer,
  kMail,
  kDns,
  kRemoteAccess,
  kMessagingQueue,
  kChat,
  kVpnTunnel,
  kNetworkMgmt,
  kGaming,
  kP2p,
  kIotIndustrial,
  kCryptoMining,
};
inline constexpr std::size_t kCategories = 17;

inline constexpr std::array<std::string_view, kCategories> kCategoryNames{
    "unknown",        "web",          "database",     "video",         "voip_conferencing",
    "file_transfer",  "mail",         "dns",          "remote_access", "messaging_queue",
    "chat",           "vpn_tunnel",   "network_mgmt", "gaming",        "p2p",
    "iot_industrial", "crypto_mining"};

constexpr std::size_t index(Category category) { return static_cast<std::size_t>(category); }
constexpr std::string_view to_string(Category category) { return kCategoryNames[index(category)]; }

constexpr std::optional<Category> parse_category(std::string_view name) {
  for (std::size_t i = 0; i < kCategories; ++i)
    if (kCategoryNames[i] == name) return static_cast<Category>(i);
  return std::nullopt;
}

}  // namespace foreflow
