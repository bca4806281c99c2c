// SPDX-License-Identifier: Apache-2.0
// How networks with a VNI cross an uplink: this dataplane is one end, the others are named by the configuration.
// Place: dataplane/pipeline; part of the snapshot.
#pragma once
#include <cstdint>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/wire/messages.h"
#include "dataplane/net/tunnel.h"

namespace foreflow::pipeline {

constexpr bool is_overlay(Segment segment) noexcept { return segment.value >= Segment::kVniBase; }
constexpr std::uint32_t vni_of(Segment segment) noexcept { return segment.value - Segment::kVniBase; }
constexpr Segment overlay(std::uint32_t vni) noexcept { return {Segment::kVniBase + vni}; }

// By its place in Tunnel::remotes.
using RemoteEnd = std::uint8_t;
inline constexpr RemoteEnd kNoRemote = 0xff;

struct Tunnel {
  net::TunnelEnd end;
  std::vector<Ipv4Address> remotes;

  // kNoRemote: none of ours.
  RemoteEnd remote(Ipv4Address address) const noexcept;
};

// `source`: the uplink's MAC. The error says what of the specification contradicts itself, and what would be right.
Result<Tunnel> make_tunnel(const wire::TunnelSpec& spec, const MacAddress& source);

}  // namespace foreflow::pipeline
