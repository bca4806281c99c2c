// SPDX-License-Identifier: Apache-2.0
// What a tunnel carries: VXLAN (RFC 7348), Geneve (RFC 8926), GRE (RFC 2784, RFC 2890) and GTP-U (3GPP TS 29.281).
// Place: dataplane/offline, for captures of an underlay; a packet inside stands for the one around it.
#pragma once
#include <optional>

#include "dataplane/offline/dissect.h"

namespace foreflow::offline {

struct InnerFrame {
  int link_type = 0;  // a DLT_ value of libpcap, as dissect() takes it
  net::Octets bytes;
};

// Nothing when the packet is none of these tunnels, by IP protocol or registered port and header, or carries no
// Ethernet frame and no IP packet.
std::optional<InnerFrame> find_inner(const Dissected& packet) noexcept;

// Replaces `packet` by the innermost one that can be read; as it is when it is no tunnel.
void enter_tunnels(Dissected& packet) noexcept;

}  // namespace foreflow::offline
