// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offline/flow_book.h"

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

void FlowBook::add(const Dissected& packet, std::uint64_t time_ns) {
  const auto& headers = packet.headers;
  const auto [ends, sender] = oriented(headers);
  last_ns_ = time_ns;
  const auto place = places_.find_or_add(
      ends,
      static_cast<std::uint32_t>(flows_.size()), [this](std::uint32_t at) -> const auto& { return flows_[at].ends; });
  if (place == flows_.size()) flows_.push_back({.ends = ends, .ip_version = headers.ip_version});
  auto& flow = flows_[place];
  if (flow.is_final) return;
  const bool has_ports = headers.ip_protocol == net::kTcp || headers.ip_protocol == net::kUdp;
  if (headers.ip_protocol == net::kTcp && (headers.tcp_flags & kSyn) != 0)
    flow.ends.client = (headers.tcp_flags & kAck) != 0 ? classify::other(sender) : sender;
  if (has_ports && packet.payload.size() == 0) return;
  ++flow.inspected;
  flow.is_final = classifier_.inspect(flow.conversation, flow.ends,
                                      {packet.payload, sender, headers.tcp_sequence, time_ns}, flow.verdict);
  if (const auto* hello = classifier_.hello(); hello != nullptr && flow.hello == 0) {
    hellos_.push_back(*hello);
    flow.hello = static_cast<std::uint32_t>(hellos_.size());
  }
}

const std::vector<Flow>& FlowBook::conclude() {
  for (auto& flow : flows_)
    if (!flow.is_final) flow.verdict = classifier_.conclude(flow.conversation, flow.ends, last_ns_);
  return flows_;
}

}  // namespace foreflow::offline
