// SPDX-License-Identifier: Apache-2.0
// What TLS says in the clear: records, the ClientHello (RFC 8446, RFC 6066, RFC 7301), a server's certificate (RFC
// 5280); the same messages come in DTLS (RFC 9147) and inside of QUIC's CRYPTO frames (RFC 9001). Place:
// dataplane/classify. Bytes are foreign and may be cut off anywhere: what is there is read.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "dataplane/net/octets.h"

namespace foreflow::classify {

enum class TlsRecord : std::uint8_t { kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23 };
enum class TlsMessage : std::uint8_t { kClientHello = 1, kServerHello = 2, kCertificate = 11 };

inline constexpr std::size_t kTlsRecordHeader = 5;
inline constexpr std::size_t kTlsMessageHeader = 4;

// A record's header is at 0: a known type, a version of 3.x, a size that a record may have.
bool is_tls_record(net::Octets bytes) noexcept;
inline bool is_tls_handshake(net::Octets bytes) noexcept {
  return is_tls_record(bytes) && bytes.u8(0) == static_cast<std::uint8_t>(TlsRecord::kHandshake);
}

// Copies the content of the handshake records at the start of `stream` to `out`, without their headers, and returns its
// size. Stops at a record of another type. `ended`: a record of another type came, so the handshake in the clear is
// over.
std::size_t take_handshake(net::Octets stream, std::span<std::uint8_t> out, bool& ended) noexcept;

struct ClientHello {
  std::string_view server_name;  // "" when not stated, or not among the bytes present
  std::string_view alpn;         // the first protocol offered
  bool has_encrypted_hello = false;
  bool is_complete = false;
};

// `message`: a handshake message from its type on. An empty hello when it is none.
ClientHello read_client_hello(net::Octets message) noexcept;

// Whether it is worth to look for an encrypted hello: the number of its extension (RFC 9849) is somewhere.
inline bool may_encrypt_hello(net::Octets payload) noexcept {
  return payload.text().find("\xfe\x0d") != std::string_view::npos;
}

// A name that Tor makes up for each connection or certificate: "www.", 8 to 25 random characters of base32, `ending`.
bool is_made_up_name(std::string_view name, std::string_view ending) noexcept;
// Tor's certificate (tor-spec, "In-protocol"): a made-up issuer in .com signs a made-up subject in .net, and no more.
bool is_tor_certificate(net::Octets bytes) noexcept;

// A host name as certificates and hellos have it: letters, digits, '.', '-', '_', perhaps "*." in front.
bool is_host_name(std::string_view name) noexcept;

// Calls visit(name) for the DNS names and common names in the certificates among `bytes` until it returns true, which
// is then returned. `bytes` may start anywhere: names are found by their object identifiers.
template <typename Visit>
bool visit_certificate_names(net::Octets bytes, Visit&& visit) noexcept;

// One name at a time for the above. Position behind it; size() when there is none left.
std::size_t next_certificate_name(net::Octets bytes, std::size_t at, std::string_view& name) noexcept;

template <typename Visit>
bool visit_certificate_names(net::Octets bytes, Visit&& visit) noexcept {
  std::string_view name;
  for (std::size_t at = 0; at < bytes.size();) {
    at = next_certificate_name(bytes, at, name);
    if (!name.empty() && visit(name)) return true;
  }
  return false;
}

}  // namespace foreflow::classify
