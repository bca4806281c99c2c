// SPDX-License-Identifier: Apache-2.0
#include "host/cli/client.h"

#include <chrono>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "common/wire/connect_error.h"
#include "common/wire/credentials.h"
#include "common/wire/operator.grpc.pb.h"

namespace foreflow::cli {
namespace {

constexpr std::chrono::seconds kDeadline{5};
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

Error to_error(const grpc::Status& status, const Connection& connection) {
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
                                                   connection.manager, kDeadline.count())};
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
    stub_ = pb::Operator::NewStub(grpc::CreateCustomChannel(
        connection.manager, grpc::SslCredentials({credentials.ca, credentials.key, credentials.certificate}),
        arguments));
  }

  template <typename Request, typename Answer>
  Result<Answer> call(grpc::Status (pb::Operator::Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                      const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kDeadline);
    Answer answer;
    const auto status = (stub_.get()->*method)(&context, request, &answer);
    if (!status.ok()) return tl::unexpected(to_error(status, connection_));
    return answer;
  }

 private:
  Connection connection_;
  std::unique_ptr<pb::Operator::Stub> stub_;
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

Result<pb::PolicyChange> Client::set_policy(const pb::SetPolicyRequest& request) {
  return channel_->call(&pb::Operator::Stub::SetPolicy, request);
}

}  // namespace foreflow::cli
