// SPDX-License-Identifier: Apache-2.0
// Mutual TLS of a gRPC server, from files that are checked at the start and read again when they are replaced.
// Place: common/wire.
#pragma once
#include <chrono>
#include <memory>

#include <grpcpp/security/server_credentials.h>

#include "common/result.h"
#include "common/wire/credentials.h"

namespace foreflow::wire {

// Clients need a certificate that the CA signed. Replaced files are taken up within `poll` for new connections; replace
// them by rename. A certificate that clients will refuse is logged, errors name the file.
Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const TlsFiles& files, std::chrono::seconds poll);

}  // namespace foreflow::wire
