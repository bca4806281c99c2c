// SPDX-License-Identifier: Apache-2.0
// The gRPC service about past decisions.
// Place: host/api, for server.cc. Thread safety: all members from any thread.
#pragma once
#include "common/wire/audit.grpc.pb.h"
#include "host/api/audit_operations.h"
#include "host/api/gate.h"
#include "host/api/policy_operations.h"

namespace foreflow::api {

class Auditor final : public operations::Auditor::Service {
 public:
  Auditor(const Gate& gate, AuditOperations& audit, const PolicyOperations& policy)
      : gate_(gate), audit_(audit), policy_(policy) {}

  grpc::Status Explain(grpc::ServerContext* context, const operations::ExplainRequest* from,
                       operations::Explanation* to) override;
  grpc::Status Audit(grpc::ServerContext* context, const operations::AuditRequest* from,
                     operations::AuditReport* to) override;
  grpc::Status Shadow(grpc::ServerContext* context, const operations::ShadowRequest* from,
                      operations::ShadowReport* to) override;

 private:
  const Gate& gate_;
  AuditOperations& audit_;
  const PolicyOperations& policy_;
};

}  // namespace foreflow::api
