// SPDX-License-Identifier: Apache-2.0
#include "host/cli/client.h"

#include <chrono>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "common/wire/audit.grpc.pb.h"
#include "common/wire/connect_error.h"
#include "common/wire/credentials.h"
#include "common/wire/operator.grpc.pb.h"

namespace foreflow::cli {
namespace {

constexpr std::chrono::seconds kDeadline{5};
constexpr std::chrono::seconds kLongDeadline{600};
constexpr int kLargestAnswer = 64 << 20;

// A manager that is there but does not fit our certificates must not look like none at all.
Error unavailable(const grpc::Status& status, const Connection& connection) {
  const auto denied = [&](std::string_view why) {
    return Error{ErrorCode::kDenied, fmt::format("{}: {} ({})", connection.manager, why, status.error_message())};
  };
  switch (wire::connect_error(status)) {
    case wire::ConnectError::kNotTrusted:
      return denied(
          fmt::format("the manager's certificate is not signed by {}, or has expired; --ca names the authority",
                      connection.ca.string()));
    case wire::ConnectError::kOtherName:
      return denied("the manager's certificate is not for this address; scripts/dev-certs --host adds one");
    case wire::ConnectError::kHungUp:
      return denied(fmt::format("the manager hung up; most likely it does not trust {} (another authority)",
                                connection.certificate.string()));
    case wire::ConnectError::kNoTls:
      return denied("who listens there does not speak TLS; is this the address of the manager's [api]?");
    default:
      return {ErrorCode::kUnavailable, fmt::format("no manager answers at {}; is foreflowd running there? ({})",
                                                   connection.manager, status.error_message())};
  }
}

Error to_error(const grpc::Status& status, const Connection& connection, std::chrono::seconds deadline) {
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return {ErrorCode::kNotFound, status.error_message()};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return {ErrorCode::kDenied, status.error_message()};
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {ErrorCode::kInvalidArgument, status.error_message()};
    case grpc::StatusCode::UNAVAILABLE:
      return unavailable(status, connection);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {ErrorCode::kUnavailable, fmt::format("no answer from {} within {} s; is foreflowd busy or unreachable?",
                                                   connection.manager, deadline.count())};
    default:
      return {ErrorCode::kInternal, status.error_message()};
  }
}

}  // namespace

class Client::Channel {
 public:
  Channel(const Connection& connection, const wire::Credentials& credentials) : connection_(connection) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(kLargestAnswer);
    const auto channel = grpc::CreateCustomChannel(
        connection.manager, grpc::SslCredentials({credentials.ca, credentials.key, credentials.certificate}),
        arguments);
    operator_ = pb::Operator::NewStub(channel);
    auditor_ = pb::Auditor::NewStub(channel);
  }

  template <typename Request, typename Answer>
  Result<Answer> call(grpc::Status (pb::Operator::Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                      const Request& request) {
    return call(*operator_, method, request, kDeadline);
  }
  // About the past: files are read and rounds are solved again.
  template <typename Request, typename Answer>
  Result<Answer> call(grpc::Status (pb::Auditor::Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                      const Request& request) {
    return call(*auditor_, method, request, kLongDeadline);
  }

 private:
  template <typename Stub, typename Request, typename Answer>
  Result<Answer> call(Stub& stub, grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                      const Request& request, std::chrono::seconds deadline) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    Answer answer;
    const auto status = (stub.*method)(&context, request, &answer);
    if (!status.ok()) return tl::unexpected(to_error(status, connection_, deadline));
    return answer;
  }

  Connection connection_;
  std::unique_ptr<pb::Operator::Stub> operator_;
  std::unique_ptr<pb::Auditor::Stub> auditor_;
};

Result<std::unique_ptr<Client>> Client::create(const Connection& connection) {
  const wire::TlsFiles files{connection.ca, connection.certificate, connection.key};
  if (const auto good = wire::check_files(files, wire::TlsRole::kClient, "", SystemClock{}.now()); !good)
    return fail(good.error().code,
                fmt::format("{}\nName other files with --ca, --cert and --key, or set FOREFLOW_CERTS to the folder of "
                            "ca.crt, operator.crt and operator.key",
                            good.error().message));
  const auto credentials = wire::load_credentials(files);
  if (!credentials) return tl::unexpected(credentials.error());
  return std::unique_ptr<Client>(new Client(std::make_unique<Channel>(connection, *credentials)));
}

Client::Client(std::unique_ptr<Channel> channel) : channel_(std::move(channel)) {}
Client::~Client() = default;

Result<pb::ManagerStatus> Client::status() {
  return channel_->call(&pb::Operator::Stub::GetStatus, pb::GetStatusRequest{});
}

Result<pb::VmList> Client::vms(const std::string& name) {
  pb::ListVmsRequest request;
  request.set_name(name);
  return channel_->call(&pb::Operator::Stub::ListVms, request);
}

Result<pb::DataplaneList> Client::dataplanes(const std::string& name) {
  pb::ListDataplanesRequest request;
  request.set_name(name);
  return channel_->call(&pb::Operator::Stub::ListDataplanes, request);
}

Result<pb::HypervisorList> Client::hypervisors(const std::string& host) {
  pb::ListHypervisorsRequest request;
  request.set_host(host);
  return channel_->call(&pb::Operator::Stub::ListHypervisors, request);
}

Result<pb::Forecast> Client::forecast(const std::string& vm, pb::Direction direction) {
  pb::GetForecastRequest request;
  request.set_vm(vm);
  request.set_direction(direction);
  return channel_->call(&pb::Operator::Stub::GetForecast, request);
}

Result<pb::RuleList> Client::rules(const std::string& vm) {
  pb::ListRulesRequest request;
  request.set_vm(vm);
  return channel_->call(&pb::Operator::Stub::ListRules, request);
}

Result<pb::FlowList> Client::flows(const std::string& vm, std::uint32_t most) {
  pb::ListFlowsRequest request;
  request.set_vm(vm);
  request.set_most(most);
  return channel_->call(&pb::Operator::Stub::ListFlows, request);
}

Result<pb::SignatureReload> Client::reload_signatures(const std::string& dataplane) {
  pb::ReloadSignaturesRequest request;
  request.set_dataplane(dataplane);
  return channel_->call(&pb::Operator::Stub::ReloadSignatures, request);
}

Result<pb::PolicyChange> Client::set_policy(const pb::SetPolicyRequest& request) {
  return channel_->call(&pb::Operator::Stub::SetPolicy, request);
}

Result<pb::PolicyAccepted> Client::apply_policy(const pb::ApplyPolicyRequest& request) {
  return channel_->call(&pb::Operator::Stub::ApplyPolicy, request);
}

Result<pb::PolicyVersionList> Client::policy_versions(const pb::ListPolicyVersionsRequest& request) {
  return channel_->call(&pb::Operator::Stub::ListPolicyVersions, request);
}

Result<pb::Explanation> Client::explain(const pb::ExplainRequest& request) {
  return channel_->call(&pb::Auditor::Stub::Explain, request);
}

Result<pb::AuditReport> Client::audit(const pb::AuditRequest& request) {
  return channel_->call(&pb::Auditor::Stub::Audit, request);
}

Result<pb::ShadowReport> Client::shadow(const pb::ShadowRequest& request) {
  return channel_->call(&pb::Auditor::Stub::Shadow, request);
}

}  // namespace foreflow::cli
