// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/tunnels.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/wire/limits.h"

namespace foreflow::pipeline {
namespace {

static_assert(wire::kMostRemotes < kNoRemote);

// 224.0.0.0 and above are groups, and what is reserved (RFC 1112, 4).
bool is_host(Ipv4Address address) { return address.octets[0] != 0 && address.octets[0] < 224; }

Status wrong(std::string what) { return fail(ErrorCode::kInvalidConfig, std::move(what)); }

Status check(const wire::TunnelSpec& spec) {
  if (!is_host(spec.local))
    return wrong(fmt::format("local {} is no address of a host; the uplink's own is", to_string(spec.local)));
  if (spec.next_hop == MacAddress{} || spec.next_hop.is_multicast())
    return wrong(fmt::format("next_hop {} is no unicast MAC; the gateway's is", to_string(spec.next_hop)));
  if (spec.udp_port == 0) return wrong("udp_port 0 is none; 4789 is VXLAN's, 6081 Geneve's");
  if (spec.remotes.size() > wire::kMostRemotes)
    return wrong(fmt::format("{} remotes, {} at most", spec.remotes.size(), wire::kMostRemotes));
  std::set<Ipv4Address> seen{spec.local};
  for (const auto& remote : spec.remotes) {
    if (!is_host(remote)) return wrong(fmt::format("remote {} is no address of a host", to_string(remote)));
    if (!seen.insert(remote).second)
      return wrong(fmt::format("remote {} is {}; name each other end once", to_string(remote),
                               remote == spec.local ? "this end" : "named twice"));
  }
  return {};
}

}  // namespace

RemoteEnd Tunnel::remote(Ipv4Address address) const noexcept {
  const auto found = std::ranges::find(remotes, address);
  return found == remotes.end() ? kNoRemote : static_cast<RemoteEnd>(found - remotes.begin());
}

Result<Tunnel> make_tunnel(const wire::TunnelSpec& spec, const MacAddress& source) {
  if (auto status = check(spec); !status) return tl::unexpected(status.error());
  return Tunnel{{spec.kind, spec.local, source, spec.next_hop, spec.udp_port}, spec.remotes};
}

}  // namespace foreflow::pipeline
