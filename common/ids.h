// SPDX-License-Identifier: Apache-2.0
// Identities that cross program boundaries, each a type of its own.
// Place: common.
#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace foreflow {

// Given by the manager once per VM name and never reused while its history is kept.
struct VmId {
  std::uint32_t value = 0;
  auto operator<=>(const VmId&) const = default;
};

// Counts desired states of one dataplane; grows by one with each change.
struct Generation {
  std::uint64_t value = 0;
  auto operator<=>(const Generation&) const = default;
};

struct IntentId {
  std::uint64_t value = 0;
  auto operator<=>(const IntentId&) const = default;
};

struct MacAddress {
  std::array<std::uint8_t, 6> octets{};
  auto operator<=>(const MacAddress&) const = default;
  bool is_multicast() const { return (octets[0] & 1) != 0; }
};

// `52:54:00:00:00:01`; nothing else parses.
std::optional<MacAddress> parse_mac(std::string_view text);
std::string to_string(const MacAddress& mac);

// In the order of the wire.
struct Ipv4Address {
  std::array<std::uint8_t, 4> octets{};
  auto operator<=>(const Ipv4Address&) const = default;
};

// `192.0.2.1`; nothing else parses.
std::optional<Ipv4Address> parse_ipv4(std::string_view text);
std::string to_string(const Ipv4Address& address);

// An isolated layer-2 network: 0 = untagged, 1..4094 = VLAN id, kVniBase + vni = VXLAN/Geneve network.
struct Segment {
  static constexpr std::uint32_t kVniBase = 1u << 24;
  std::uint32_t value = 0;
  auto operator<=>(const Segment&) const = default;
};

// Seen from the VM: egress leaves it (tx), ingress reaches it (rx).
enum class Direction : std::uint8_t { kEgress = 0, kIngress = 1 };
inline constexpr std::size_t kDirections = 2;
inline constexpr std::array<Direction, kDirections> kBothDirections{Direction::kEgress, Direction::kIngress};
constexpr std::size_t index(Direction direction) { return static_cast<std::size_t>(direction); }
constexpr std::string_view to_string(Direction direction) {
  return direction == Direction::kEgress ? "egress" : "ingress";
}

}  // namespace foreflow

template <>
struct std::hash<foreflow::VmId> {
  std::size_t operator()(foreflow::VmId id) const noexcept { return std::hash<std::uint32_t>{}(id.value); }
};
template <>
struct std::hash<foreflow::IntentId> {
  std::size_t operator()(foreflow::IntentId id) const noexcept { return std::hash<std::uint64_t>{}(id.value); }
};
