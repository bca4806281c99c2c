// SPDX-License-Identifier: Apache-2.0
// Builds protected QUIC Initial packets of a client, as RFC 9001 says, on the keys of its appendix A.1.
#pragma once
#include <cstdint>
#include <span>

#include "tests/unit/dataplane/frames.h"

namespace foreflow::testing {

// The connection id of RFC 9001, appendix A: 8394c8f03e515708.
Frame quic_sample_id();

// A CRYPTO frame of `bytes` at `offset` of the stream.
Frame quic_crypto(std::uint16_t offset, std::span<const std::uint8_t> bytes);

// A version 1 Initial packet that carries `frames`, padded to a datagram of 1,200 bytes.
Frame quic_sample_initial(std::uint8_t number, const Frame& frames);

}  // namespace foreflow::testing
