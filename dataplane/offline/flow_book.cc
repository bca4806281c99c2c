// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/flow_book.h"

#include <string_view>
#include <tuple>
#include <utility>

namespace foreflow::offline {
namespace {

constexpr std::uint8_t kSyn = 0x02, kAck = 0x10;

struct Oriented {
  classify::FlowEnds ends;
  classify::Side sender = 0;
};

Oriented oriented(const net::Parsed& headers) noexcept {
  Oriented out{{.address = {headers.source_ip, headers.destination_ip},
                .port = {headers.source_port, headers.destination_port},
                .ip_protocol = headers.ip_protocol}};
  auto& [address, port, protocol, vm, client] = out.ends;
  if (std::tie(address[1], port[1]) < std::tie(address[0], port[0])) {
    std::swap(address[0], address[1]);
    std::swap(port[0], port[1]);
    out.sender = 1;
  }
  return out;
}

}  // namespace

std::size_t FlowBook::Hash::operator()(const classify::FlowEnds& ends) const noexcept {
  const auto text = [](const net::IpAddress& address) {
    return std::string_view(reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size());
  };
  constexpr std::size_t kMix = 0x9e3779b97f4a7c15;
  auto hash = std::hash<std::string_view>{}(text(ends.address[0]));
  hash = hash * kMix + std::hash<std::string_view>{}(text(ends.address[1]));
  return hash * kMix + (std::size_t{ends.port[0]} << 32 | std::size_t{ends.port[1]} << 16 | ends.ip_protocol);
}

bool FlowBook::SameEnds::operator()(const classify::FlowEnds& a, const classify::FlowEnds& b) const noexcept {
  return a.address == b.address && a.port == b.port && a.ip_protocol == b.ip_protocol;
}

void FlowBook::add(const Dissected& packet, std::uint64_t time_ns) {
  const auto& headers = packet.headers;
  const auto [ends, sender] = oriented(headers);
  last_ns_ = time_ns;
  const auto [place, is_new] = places_.try_emplace(ends, flows_.size());
  if (is_new) flows_.push_back({.ends = ends, .ip_version = headers.ip_version});
  auto& flow = flows_[place->second];
  if (flow.is_final) return;
  const bool has_ports = headers.ip_protocol == net::kTcp || headers.ip_protocol == net::kUdp;
  if (headers.ip_protocol == net::kTcp && (headers.tcp_flags & kSyn) != 0)
    flow.ends.client = (headers.tcp_flags & kAck) != 0 ? classify::other(sender) : sender;
  if (has_ports && packet.payload.size() == 0) return;
  ++flow.inspected;
  flow.is_final = classifier_.inspect(flow.conversation, flow.ends,
                                      {packet.payload, sender, headers.tcp_sequence, time_ns}, flow.verdict);
}

const std::vector<Flow>& FlowBook::conclude() {
  for (auto& flow : flows_)
    if (!flow.is_final) flow.verdict = classifier_.conclude(flow.conversation, flow.ends, last_ns_);
  return flows_;
}

}  // namespace foreflow::offline
