// SPDX-License-Identifier: Apache-2.0
// What a flow's ends say beyond its payload: which of several protocols with the same messages it is.
// Place: dataplane/classify, the last step before a verdict is final. It never turns one kind of message into another.
#pragma once
#include "dataplane/classify/conversation.h"
#include "dataplane/classify/known_protocols.h"

namespace foreflow::classify {

// DNS to a group address that belongs to mDNS (RFC 6762, 3) or LLMNR (RFC 4795, 2): an address, so no hint.
void refine_by_group(Verdict& verdict, const KnownProtocols& known, const FlowEnds& ends) noexcept;

// TLS on a port that is registered for one protocol over TLS. `server`: whose port it is.
void refine_by_port(Verdict& verdict, const KnownProtocols& known, const FlowEnds& ends, Side server) noexcept;

}  // namespace foreflow::classify
