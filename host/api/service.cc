// SPDX-License-Identifier: Apache-2.0
#include "host/api/service.h"

#include <algorithm>

#include "host/api/convert.h"

namespace foreflow::api {
namespace {

constexpr std::uint32_t kDefaultFlows = 20;

}  // namespace

grpc::Status Service::GetStatus(grpc::ServerContext* context, const pb::GetStatusRequest*, pb::ManagerStatus* to) {
  return gate_.serve(*context, "", [&]() -> Status {
    *to = to_proto(manager_.status());
    return {};
  });
}

grpc::Status Service::ListVms(grpc::ServerContext* context, const pb::ListVmsRequest* from, pb::VmList* to) {
  return gate_.serve(*context, from->name(), [&]() -> Status {
    return manager_.vms(from->name()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_vms() = to_proto(item);
    });
  });
}

grpc::Status Service::ListDataplanes(grpc::ServerContext* context, const pb::ListDataplanesRequest* from,
                                     pb::DataplaneList* to) {
  return gate_.serve(*context, from->name(), [&]() -> Status {
    return manager_.dataplanes(from->name()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_dataplanes() = to_proto(item);
    });
  });
}

grpc::Status Service::ListHypervisors(grpc::ServerContext* context, const pb::ListHypervisorsRequest* from,
                                      pb::HypervisorList* to) {
  return gate_.serve(*context, from->host(), [&]() -> Status {
    return manager_.hypervisors(from->host()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_hypervisors() = to_proto(item);
    });
  });
}

grpc::Status Service::GetForecast(grpc::ServerContext* context, const pb::GetForecastRequest* from, pb::Forecast* to) {
  return gate_.serve(*context, from->vm(), [&]() -> Status {
    const auto direction = from->direction() == pb::INGRESS ? Direction::kIngress : Direction::kEgress;
    return manager_.forecast(from->vm(), direction).map([&](const auto& view) {
      *to = to_proto(from->vm(), direction, view);
    });
  });
}

grpc::Status Service::ListRules(grpc::ServerContext* context, const pb::ListRulesRequest* from, pb::RuleList* to) {
  return gate_.serve(*context, from->vm(), [&]() -> Status {
    return manager_.rules(from->vm()).map([&](const auto& all) {
      for (const auto& item : all) *to->add_rules() = to_proto(item);
    });
  });
}

grpc::Status Service::ListFlows(grpc::ServerContext* context, const pb::ListFlowsRequest* from, pb::FlowList* to) {
  return gate_.serve(*context, from->vm(), [&]() -> Status {
    return manager_.flows(from->vm()).map([&](const auto& all) {
      const std::size_t most = from->most() == 0 ? kDefaultFlows : from->most();
      for (std::size_t i = 0; i < std::min(most, all.size()); ++i) *to->add_flows() = to_proto(all[i]);
    });
  });
}

grpc::Status Service::ReloadSignatures(grpc::ServerContext* context, const pb::ReloadSignaturesRequest* from,
                                       pb::SignatureReload* to) {
  return gate_.serve(*context, from->dataplane(), [&]() -> Status {
    return manager_.reload_signatures(from->dataplane()).map([&](const auto& asked) {
      for (const auto& name : asked) to->add_dataplanes(name);
    });
  });
}

}  // namespace foreflow::api
