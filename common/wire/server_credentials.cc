// SPDX-License-Identifier: Apache-2.0
#include "common/wire/server_credentials.h"

#include <utility>

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include "common/clock.h"
#include "common/log.h"

namespace foreflow::wire {

Result<std::shared_ptr<grpc::ServerCredentials>> server_credentials(const TlsFiles& files, std::chrono::seconds poll) {
  const auto credentials = load_credentials(files);
  if (!credentials) return tl::unexpected(credentials.error());
  if (const auto valid = check_valid(*credentials, SystemClock{}.now()); !valid)
    log::warning("clients will refuse this server",
                 {{"file", files.certificate.string()}, {"error", valid.error().message}});
  // Verified by TLS itself, before a byte of ours is read; 1.2 is gRPC's minimum.
  using namespace grpc::experimental;
  TlsServerCredentialsOptions options(
      std::make_shared<FileWatcherCertificateProvider>(files.key, files.certificate, files.ca, poll.count()));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  return TlsServerCredentials(options);
}

}  // namespace foreflow::wire
