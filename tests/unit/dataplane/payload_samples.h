// SPDX-License-Identifier: Apache-2.0
// First payloads of many protocols, built field by field from their specifications, from clients and from servers.
#pragma once
#include <string_view>
#include <vector>

#include "common/category.h"
#include "tests/unit/dataplane/frames.h"

namespace foreflow::testing {

struct PayloadSample {
  std::string_view protocol;
  Category category;
  std::uint8_t ip_protocol;
  std::string_view what;
  Frame payload;
};

const std::vector<PayloadSample>& payload_samples();

// A ClientHello that asks for `server_name` ("" = without the extension).
Frame tls_client_hello(std::string_view server_name);
// With an empty extension of encrypted_client_hello, as the inner hello has it; outer ones hold a payload.
Frame with_encrypted_hello(Frame hello);
Frame tls_record(std::uint8_t type, const Frame& content);

}  // namespace foreflow::testing
