// SPDX-License-Identifier: Apache-2.0
// The gRPC service about the present and the policy.
// Place: host/api, for server.cc. Thread safety: all members from any thread.
#pragma once
#include "common/wire/operator.grpc.pb.h"
#include "host/api/gate.h"
#include "host/api/server.h"

namespace foreflow::api {

class Service final : public operations::Operator::Service {
 public:
  Service(const Gate& gate, const Answerers& answerers)
      : gate_(gate), manager_(answerers.manager), policy_(answerers.policy) {}

  grpc::Status GetStatus(grpc::ServerContext* context, const operations::GetStatusRequest* from,
                         operations::ManagerStatus* to) override;
  grpc::Status ListVms(grpc::ServerContext* context, const operations::ListVmsRequest* from,
                       operations::VmList* to) override;
  grpc::Status ListDataplanes(grpc::ServerContext* context, const operations::ListDataplanesRequest* from,
                              operations::DataplaneList* to) override;
  grpc::Status ListHypervisors(grpc::ServerContext* context, const operations::ListHypervisorsRequest* from,
                               operations::HypervisorList* to) override;
  grpc::Status GetForecast(grpc::ServerContext* context, const operations::GetForecastRequest* from,
                           operations::Forecast* to) override;
  grpc::Status ListRules(grpc::ServerContext* context, const operations::ListRulesRequest* from,
                         operations::RuleList* to) override;
  grpc::Status ListFlows(grpc::ServerContext* context, const operations::ListFlowsRequest* from,
                         operations::FlowList* to) override;
  grpc::Status SetPolicy(grpc::ServerContext* context, const operations::SetPolicyRequest* from,
                         operations::PolicyChange* to) override;
  grpc::Status ApplyPolicy(grpc::ServerContext* context, const operations::ApplyPolicyRequest* from,
                           operations::PolicyAccepted* to) override;
  grpc::Status ListPolicyVersions(grpc::ServerContext* context, const operations::ListPolicyVersionsRequest* from,
                                  operations::PolicyVersionList* to) override;
  grpc::Status ReloadSignatures(grpc::ServerContext* context, const operations::ReloadSignaturesRequest* from,
                                operations::SignatureReload* to) override;

 private:
  const Gate& gate_;
  Operations& manager_;
  PolicyOperations& policy_;
};

}  // namespace foreflow::api
