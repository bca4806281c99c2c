// SPDX-License-Identifier: Apache-2.0
// The gRPC service: who may ask, how much, and errors as gRPC says them.
// Place: host/api, for server.cc. Thread safety: all members from any thread.
#pragma once
#include <string>
#include <vector>

#include "common/wire/operator.grpc.pb.h"
#include "host/api/operations.h"

namespace foreflow::api {

class Service final : public operations::Operator::Service {
 public:
  Service(std::vector<std::string> operators, Operations& manager)
      : operators_(std::move(operators)), manager_(manager) {}

  grpc::Status GetStatus(grpc::ServerContext* context, const operations::GetStatusRequest* from,
                         operations::ManagerStatus* to) override;
  grpc::Status ListVms(grpc::ServerContext* context, const operations::ListVmsRequest* from,
                       operations::VmList* to) override;
  grpc::Status ListDataplanes(grpc::ServerContext* context, const operations::ListDataplanesRequest* from,
                              operations::DataplaneList* to) override;
  grpc::Status GetForecast(grpc::ServerContext* context, const operations::GetForecastRequest* from,
                           operations::Forecast* to) override;
  grpc::Status ListRules(grpc::ServerContext* context, const operations::ListRulesRequest* from,
                         operations::RuleList* to) override;
  grpc::Status ListFlows(grpc::ServerContext* context, const operations::ListFlowsRequest* from,
                         operations::FlowList* to) override;
  grpc::Status SetPolicy(grpc::ServerContext* context, const operations::SetPolicyRequest* from,
                         operations::PolicyChange* to) override;

 private:
  template <typename Call>
  grpc::Status serve(const grpc::ServerContext& context, const std::string& name, Call call) const;
  Status authorise(const grpc::ServerContext& context) const;

  std::vector<std::string> operators_;
  Operations& manager_;
};

}  // namespace foreflow::api
