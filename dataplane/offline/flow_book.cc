// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/flow_book.h"

#include <string_view>
#include <tuple>

namespace foreflow::offline {

FlowKey make_key(const net::Parsed& headers) noexcept {
  FlowKey key{headers.source_ip,        headers.destination_ip, headers.source_port,
              headers.destination_port, headers.ip_protocol,    headers.ip_version};
  if (std::tie(key.address_b, key.port_b) < std::tie(key.address_a, key.port_a)) {
    std::swap(key.address_a, key.address_b);
    std::swap(key.port_a, key.port_b);
  }
  return key;
}

std::size_t FlowBook::Hash::operator()(const FlowKey& key) const noexcept {
  const auto text = [](const net::IpAddress& address) {
    return std::string_view(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
  };
  constexpr std::size_t kMix = 0x9e3779b97f4a7c15;
  auto hash = std::hash<std::string_view>{}(text(key.address_a));
  hash = hash * kMix + std::hash<std::string_view>{}(text(key.address_b));
  return hash * kMix + (std::size_t{key.port_a} << 32 | std::size_t{key.port_b} << 16 | key.protocol);
}

void FlowBook::add(const Dissected& packet) {
  const auto key = make_key(packet.headers);
  const auto [place, is_new] = places_.try_emplace(key, flows_.size());
  if (is_new) flows_.push_back({.key = key});
  auto& flow = flows_[place->second];
  if (flow.is_final) return;
  const bool has_payload = packet.payload.size() != 0;
  if (!has_payload && (key.protocol == net::kTcp || key.protocol == net::kUdp)) return;
  ++flow.inspected;
  flow.is_final = classifier_.inspect(flow.conversation, {packet.headers, packet.payload}, flow.verdict);
}

const std::vector<Flow>& FlowBook::conclude() {
  for (auto& flow : flows_)
    if (flow.conversation != 0) flow.verdict = classifier_.conclude(flow.conversation);
  return flows_;
}

}  // namespace foreflow::offline
