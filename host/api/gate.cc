// SPDX-License-Identifier: Apache-2.0
#include "host/api/gate.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"

namespace foreflow::api {
namespace {

constexpr std::size_t kLongestName = 63;

grpc::StatusCode code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kInvalidConfig:
    case ErrorCode::kMalformed:
      return grpc::StatusCode::INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return grpc::StatusCode::NOT_FOUND;
    case ErrorCode::kDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kUnavailable:
      return grpc::StatusCode::UNAVAILABLE;
    default:
      return grpc::StatusCode::INTERNAL;
  }
}

grpc::Status to_grpc(const Error& error) { return {code_of(error.code), error.message}; }

}  // namespace

grpc::Status Gate::serve(const grpc::ServerContext& context, const std::string& name,
                         const std::function<Status()>& call) const {
  if (auto allowed = authorise(context); !allowed) return to_grpc(allowed.error());
  if (name.size() > kLongestName)
    return {grpc::StatusCode::INVALID_ARGUMENT, fmt::format("a name has at most {} characters", kLongestName)};
  const Status result = call();
  return result ? grpc::Status::OK : to_grpc(result.error());
}

std::string caller(const grpc::ServerContext& context) {
  const auto names = context.auth_context()->FindPropertyValues("x509_common_name");
  return names.empty() ? "" : std::string(names[0].data(), names[0].size());
}

Status Gate::authorise(const grpc::ServerContext& context) const {
  const auto name = caller(context);
  if (std::find(operators_.begin(), operators_.end(), name) != operators_.end()) return {};
  log::warning("api call refused", {{"certificate", name}, {"peer", context.peer()}});
  return fail(ErrorCode::kDenied,
              fmt::format("the certificate of '{}' is not one of an operator; see `operators` in [api]", name));
}

}  // namespace foreflow::api
