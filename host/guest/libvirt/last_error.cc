// SPDX-License-Identifier: Apache-2.0
#include "host/guest/libvirt/last_error.h"

#include <fmt/format.h>
#include <libvirt/virterror.h>

namespace foreflow::guest {
namespace {

ErrorCode code_of(int code) {
  switch (code) {
    case VIR_ERR_AUTH_FAILED:
    case VIR_ERR_AUTH_CANCELLED:
    case VIR_ERR_AUTH_UNAVAILABLE:
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_ACCESS_DENIED:
      return ErrorCode::kDenied;
    case VIR_ERR_NO_DOMAIN:
      return ErrorCode::kNotFound;
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_OPERATION_UNSUPPORTED:
    case VIR_ERR_CONFIG_UNSUPPORTED:
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
      return ErrorCode::kUnsupported;
    case VIR_ERR_INVALID_ARG:
    case VIR_ERR_OPERATION_INVALID:
    case VIR_ERR_OPERATION_FAILED:
    case VIR_ERR_OPERATION_TIMEOUT:
      return ErrorCode::kInvalidArgument;
    default:
      return ErrorCode::kUnavailable;
  }
}

}  // namespace

Error last_error(const std::string& subject) {
  const auto* error = virGetLastError();
  if (error == nullptr || error->message == nullptr)
    return {ErrorCode::kUnavailable, fmt::format("{}: libvirt gives no reason", subject)};
  return {code_of(error->code), fmt::format("{}: {}", subject, error->message)};
}

}  // namespace foreflow::guest
