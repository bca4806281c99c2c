// SPDX-License-Identifier: Apache-2.0
// A refusal of rte_flow or rte_mtr as Error.
// Place: dataplane/offload.
#pragma once
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "common/result.h"

namespace foreflow::offload {

inline ErrorCode code_of_errno(int error) {
  switch (error) {
    case ENOTSUP:
    case ENOSYS:
      return ErrorCode::kUnsupported;
    case ENOSPC:
    case ENOMEM:
      return ErrorCode::kExhausted;
    case ENOENT:
    case ENODEV:
      return ErrorCode::kNotFound;
    case EEXIST:
      return ErrorCode::kAlreadyExists;
    case EINVAL:
      return ErrorCode::kInvalidArgument;
    case EBUSY:
    case EAGAIN:
      return ErrorCode::kUnavailable;
    default:
      return ErrorCode::kIo;
  }
}

// `message` is the driver's own and may be null. DPDK gives errno values of either sign.
inline tl::unexpected<Error> refused(std::string_view operation, std::uint16_t port_id, const char* message,
                                     int error) {
  const int positive = error < 0 ? -error : error;
  return fail(
      code_of_errno(positive),
      fmt::format("{} on port {}: {} ({})", operation, port_id, message != nullptr ? message : "no reason given",
                  strerrorname_np(positive) != nullptr ? strerrorname_np(positive) : "unknown errno"));
}

}  // namespace foreflow::offload
