// SPDX-License-Identifier: Apache-2.0
// A TLS client's fingerprint, from what its ClientHello offers: the same program gives the same text whatever it talks
// to and in whichever order it shuffles its extensions. The form is JA4's of TLS clients (FoxIO, 2023). Place:
// dataplane/classify; for people and as evidence, no verdict rests on it.
#pragma once
#include <array>
#include <optional>
#include <string_view>

#include "dataplane/net/octets.h"

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

// `message`: a ClientHello from its type on, whole; nothing otherwise. No allocation.
std::optional<Fingerprint> read_fingerprint(net::Octets message, HelloOver over) noexcept;

}  // namespace foreflow::classify
