// SPDX-License-Identifier: Apache-2.0
#include "host/api/service.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"
#include "host/api/convert.h"

namespace foreflow::api {
namespace {

constexpr std::size_t kLongestName = 63;
constexpr std::uint32_t kDefaultFlows = 20;

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

template <typename Call>
grpc::Status Service::serve(const grpc::ServerContext& context, const std::string& name, Call call) const {
  if (auto allowed = authorise(context); !allowed) return to_grpc(allowed.error());
  if (name.size() > kLongestName)
    return {grpc::StatusCode::INVALID_ARGUMENT, fmt::format("a name has at most {} characters", kLongestName)};
  const Status result = call();
  return result ? grpc::Status::OK : to_grpc(result.error());
}

Status Service::authorise(const grpc::ServerContext& context) const {
  const auto names = context.auth_context()->FindPropertyValues("x509_common_name");
  const std::string name = names.empty() ? "" : std::string(names[0].data(), names[0].size());
  if (std::find(operators_.begin(), operators_.end(), name) != operators_.end()) return {};
  log::warning("api call refused", {{"certificate", name}, {"peer", context.peer()}});
  return fail(ErrorCode::kDenied,
              fmt::format("the certificate of '{}' is not one of an operator; see `operators` in [api]", name));
}

grpc::Status Service::GetStatus(grpc::ServerContext* context, const pb::GetStatusRequest*, pb::ManagerStatus* to) {
  return serve(*context, "", [&]() -> Status {
    *to = to_proto(manager_.status());
    return {};
  });
}

grpc::Status Service::ListVms(grpc::ServerContext* context, const pb::ListVmsRequest* from, pb::VmList* to) {
  return serve(*context, from->name(), [&]() -> Status {
    return manager_.vms(from->name()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_vms() = to_proto(item);
    });
  });
}

grpc::Status Service::ListDataplanes(grpc::ServerContext* context, const pb::ListDataplanesRequest* from,
                                     pb::DataplaneList* to) {
  return serve(*context, from->name(), [&]() -> Status {
    return manager_.dataplanes(from->name()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_dataplanes() = to_proto(item);
    });
  });
}

grpc::Status Service::GetForecast(grpc::ServerContext* context, const pb::GetForecastRequest* from, pb::Forecast* to) {
  return serve(*context, from->vm(), [&]() -> Status {
    const auto direction = from->direction() == pb::INGRESS ? Direction::kIngress : Direction::kEgress;
    return manager_.forecast(from->vm(), direction).map([&](const auto& view) {
      *to = to_proto(from->vm(), direction, view);
    });
  });
}

grpc::Status Service::ListRules(grpc::ServerContext* context, const pb::ListRulesRequest* from, pb::RuleList* to) {
  return serve(*context, from->vm(), [&]() -> Status {
    return manager_.rules(from->vm()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_rules() = to_proto(item);
    });
  });
}

grpc::Status Service::ListFlows(grpc::ServerContext* context, const pb::ListFlowsRequest* from, pb::FlowList* to) {
  return serve(*context, from->vm(), [&]() -> Status {
    return manager_.flows(from->vm()).map([&](const auto& all) {
      const std::size_t most = from->most() == 0 ? kDefaultFlows : from->most();
      for (std::size_t i = 0; i < std::min(most, all.size()); ++i) *to->add_flows() = to_proto(all[i]);
    });
  });
}

grpc::Status Service::SetPolicy(grpc::ServerContext* context, const pb::SetPolicyRequest* from, pb::PolicyChange* to) {
  return serve(*context, from->vm(), [&]() -> Status {
    return manager_.set_policy(from->vm(), from_proto(*from), from->dry_run()).map([&](const auto& change) {
      *to->mutable_before() = to_proto(change.before);
      *to->mutable_after() = to_proto(change.after);
      to->set_applied(!from->dry_run());
    });
  });
}

}  // namespace foreflow::api
