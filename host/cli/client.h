// SPDX-License-Identifier: Apache-2.0
// The manager's API as the commands call it: one call, one Result.
// Place: host/cli. Thread safety: none.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "common/result.h"
#include "common/wire/audit.pb.h"
#include "common/wire/operator.pb.h"

namespace foreflow::cli {

namespace pb = foreflow::operations;

struct Connection {
  std::string manager = "127.0.0.1:7444";  // host:port or unix:/path
  std::filesystem::path ca = "/etc/foreflow/ca.crt";
  std::filesystem::path certificate = "/etc/foreflow/operator.crt";
  std::filesystem::path key = "/etc/foreflow/operator.key";
};

class Client {
 public:
  ~Client();
  // Reads and checks the certificates; connects with the first call. kInvalidConfig names the file.
  static Result<std::unique_ptr<Client>> create(const Connection& connection);

  // kUnavailable: no answer; kDenied: the certificates of the two do not fit, or the manager refuses ours; kNotFound,
  // kInvalidArgument: the manager's words.
  Result<pb::ManagerStatus> status();
  Result<pb::VmList> vms(const std::string& name);
  Result<pb::DataplaneList> dataplanes(const std::string& name);
  Result<pb::HypervisorList> hypervisors(const std::string& host);
  Result<pb::Forecast> forecast(const std::string& vm, pb::Direction direction);
  Result<pb::RuleList> rules(const std::string& vm);
  Result<pb::FlowList> flows(const std::string& vm, std::uint32_t most);
  Result<pb::SignatureReload> reload_signatures(const std::string& dataplane);
  Result<pb::PolicyChange> set_policy(const pb::SetPolicyRequest& request);
  Result<pb::PolicyAccepted> apply_policy(const pb::ApplyPolicyRequest& request);
  Result<pb::Explanation> explain(const pb::ExplainRequest& request);
  Result<pb::AuditReport> audit(const pb::AuditRequest& request);
  Result<pb::ShadowReport> shadow(const pb::ShadowRequest& request);
  Result<pb::PolicyVersionList> policy_versions(const pb::ListPolicyVersionsRequest& request);

 private:
  class Channel;  // gRPC stays in client.cc: its headers cost each command's compilation more than all else together
  explicit Client(std::unique_ptr<Channel> channel);
  std::unique_ptr<Channel> channel_;
};

}  // namespace foreflow::cli
