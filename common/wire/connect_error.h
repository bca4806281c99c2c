// SPDX-License-Identifier: Apache-2.0
// What gRPC's "unavailable" hides: it says in one breath that nobody listens, that we do not trust who does, and that
// who does does not trust us.
// Place: common/wire; the dataplane's session and the command line explain failed calls with it.
#pragma once
#include <cstdint>

#include <grpcpp/support/status.h>

namespace foreflow::wire {

enum class ConnectError : std::uint8_t {
  kNone,         // not a matter of connecting
  kNobodyThere,  // refused, no route, no such name or socket, no answer in time
  kNotTrusted,   // the peer's certificate: expired, or not signed by our authority
  kOtherName,    // the peer's certificate is that of another name
  kHungUp,       // the peer ended the connection: most likely it does not trust our certificate
  kNoTls,        // the peer does not speak TLS
};

// By the words of gRPC 1.51 on OpenSSL, which is all it tells.
ConnectError connect_error(const grpc::Status& status);

}  // namespace foreflow::wire
