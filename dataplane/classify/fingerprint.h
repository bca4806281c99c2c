// SPDX-License-Identifier: Apache-2.0
// A TLS client's fingerprint, from what its ClientHello offers: the same program gives the same text whatever it talks
// to and in whichever order it shuffles its extensions. The form is JA4's of TLS clients (FoxIO, 2023). Place:
// dataplane/classify; for people and as evidence, no verdict rests on it.
#pragma once
#include <array>
#include <memory>
#include <optional>
#include <string_view>

#include "common/result.h"
#include "dataplane/net/octets.h"

struct evp_md_ctx_st;

namespace foreflow::classify {

struct Fingerprint {
  std::array<char, 36> text{};  // t13d1516h2_8daaf6152771_e5627efa2ab1
  std::string_view view() const noexcept { return {text.data(), text.size()}; }
};

// What a hello said of the client.
struct HelloEvidence {
  Fingerprint fingerprint;
  bool has_encrypted_hello = false;  // or the extension's look alike, which browsers send to all servers
};

enum class HelloOver : char { kTcp = 't', kQuic = 'q', kDatagrams = 'd' };

// One worker's. No allocation after construction.
class Fingerprinter {
 public:
  static Result<Fingerprinter> create();

  // `message`: a ClientHello from its type on, whole; nothing otherwise.
  std::optional<Fingerprint> fingerprint(net::Octets message, HelloOver over) noexcept;

 private:
  struct FreeDigest {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  // The first 12 hexadecimal digits of the text's SHA-256.
  bool put_digest(std::string_view text, char* out) noexcept;

  std::unique_ptr<evp_md_ctx_st, FreeDigest> digest_;
};

}  // namespace foreflow::classify
