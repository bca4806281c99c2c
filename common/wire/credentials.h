// SPDX-License-Identifier: Apache-2.0
// Certificates and keys of a program, read and checked before TLS sees them, so that what is wrong is said by name; TLS
// itself only ever says "handshake failed".
// Place: common/wire; free of gRPC. Thread safety: pure functions.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"

namespace foreflow::wire {

// What a certificate says about its holder.
struct CertificateIdentity {
  std::string common_name;
  std::string unit;  // the role: "dataplane", "manager", "operator"
  std::vector<std::string> dns_names;
  bool carries(std::string_view name) const;  // as common name or DNS name
};
Result<CertificateIdentity> read_identity(std::string_view pem);

struct TlsFiles {
  std::filesystem::path ca, certificate, key;
};

struct Credentials {
  std::string ca, certificate, key;  // PEM
  CertificateIdentity identity;
};

// Errors name the file: missing (every one of them), no PEM, key of another certificate.
Result<Credentials> load_credentials(const TlsFiles& files);

enum class TlsRole : std::uint8_t { kServer, kClient };

// Everything about its files that would keep a program from being understood, before it starts: load_credentials(),
// check_valid(), that the certificate may be used in `role`, and that it carries `name` (empty: any name). Errors name
// the file.
Status check_files(const TlsFiles& files, TlsRole role, std::string_view name, UnixNanos now);

// What every peer that trusts the same CA would object to: expired, not valid yet, not signed by that CA.
Status check_valid(const Credentials& credentials, UnixNanos now);

}  // namespace foreflow::wire
