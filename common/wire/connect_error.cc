// SPDX-License-Identifier: Apache-2.0
#include "common/wire/connect_error.h"

#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace foreflow::wire {
namespace {

// The first that fits decides: a refused handshake also ends in a closed socket.
constexpr std::array<std::pair<std::string_view, ConnectError>, 9> kWords{{
    {"certificate verify failed", ConnectError::kNotTrusted},
    {"Hostname Verification", ConnectError::kOtherName},
    {"is not in peer certificate", ConnectError::kOtherName},
    {"wrong version number", ConnectError::kNoTls},
    {"packet length too long", ConnectError::kNoTls},
    {"alert", ConnectError::kHungUp},
    {"Socket closed", ConnectError::kHungUp},
    {"reset by peer", ConnectError::kHungUp},
    {"Broken pipe", ConnectError::kHungUp},
}};

}  // namespace

ConnectError connect_error(const grpc::Status& status) {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return ConnectError::kNone;
  const std::string said = status.error_message();
  for (const auto& [words, error] : kWords)
    if (said.find(words) != std::string_view::npos) return error;
  return ConnectError::kNobodyThere;
}

}  // namespace foreflow::wire
