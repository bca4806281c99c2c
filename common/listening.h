// SPDX-License-Identifier: Apache-2.0
// Why nobody can listen at an address. gRPC only says that it does not.
// Place: common; for the error messages of servers.
#pragma once
#include <string>
#include <string_view>

namespace foreflow {

// Tries `address` (parse_address) once more and says what stood in the way, "Address already in use" for example.
// Empty: nothing does any longer.
std::string why_no_listening(std::string_view address);

}  // namespace foreflow
