// SPDX-License-Identifier: Apache-2.0
#include "host/cli/client.h"

#include <chrono>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

namespace foreflow::cli {
namespace {

constexpr std::chrono::seconds kDeadline{5};
constexpr int kLargestAnswer = 64 << 20;

Result<std::string> read_file(const std::filesystem::path& path, std::string_view option) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream)
    return fail(ErrorCode::kIo, fmt::format("{} cannot be read; name it with {} or set FOREFLOW_CERTS to the folder of "
                                            "ca.crt, operator.crt and operator.key",
                                            path.string(), option));
  return text.str();
}

Error to_error(const grpc::Status& status, const std::string& manager) {
  switch (status.error_code()) {
    case grpc::StatusCode::NOT_FOUND:
      return {ErrorCode::kNotFound, status.error_message()};
    case grpc::StatusCode::PERMISSION_DENIED:
    case grpc::StatusCode::UNAUTHENTICATED:
      return {ErrorCode::kDenied, status.error_message()};
    case grpc::StatusCode::INVALID_ARGUMENT:
      return {ErrorCode::kInvalidArgument, status.error_message()};
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return {
          ErrorCode::kUnavailable,
          fmt::format("no manager answers at {} ({}); is foreflowd running there, and is its certificate of our CA?",
                      manager, status.error_message())};
    default:
      return {ErrorCode::kInternal, status.error_message()};
  }
}

}  // namespace

Result<std::unique_ptr<Client>> Client::create(const Connection& connection) {
  const auto ca = read_file(connection.ca, "--ca");
  const auto certificate = read_file(connection.certificate, "--cert");
  const auto key = read_file(connection.key, "--key");
  for (const auto* file : {&ca, &certificate, &key})
    if (!*file) return tl::unexpected(file->error());
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kLargestAnswer);
  std::unique_ptr<Client> client(new Client(connection.manager));
  client->stub_ = pb::Operator::NewStub(
      grpc::CreateCustomChannel(connection.manager, grpc::SslCredentials({*ca, *key, *certificate}), arguments));
  return client;
}

template <typename Request, typename Answer>
Result<Answer> Client::call(grpc::Status (pb::Operator::Stub::*method)(grpc::ClientContext*, const Request&, Answer*),
                            const Request& request) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kDeadline);
  Answer answer;
  const auto status = (stub_.get()->*method)(&context, request, &answer);
  if (!status.ok()) return tl::unexpected(to_error(status, manager_));
  return answer;
}

Result<pb::ManagerStatus> Client::status() { return call(&pb::Operator::Stub::GetStatus, pb::GetStatusRequest{}); }

Result<pb::VmList> Client::vms(const std::string& name) {
  pb::ListVmsRequest request;
  request.set_name(name);
  return call(&pb::Operator::Stub::ListVms, request);
}

Result<pb::DataplaneList> Client::dataplanes(const std::string& name) {
  pb::ListDataplanesRequest request;
  request.set_name(name);
  return call(&pb::Operator::Stub::ListDataplanes, request);
}

Result<pb::Forecast> Client::forecast(const std::string& vm, pb::Direction direction) {
  pb::GetForecastRequest request;
  request.set_vm(vm);
  request.set_direction(direction);
  return call(&pb::Operator::Stub::GetForecast, request);
}

Result<pb::RuleList> Client::rules(const std::string& vm) {
  pb::ListRulesRequest request;
  request.set_vm(vm);
  return call(&pb::Operator::Stub::ListRules, request);
}

Result<pb::FlowList> Client::flows(const std::string& vm, std::uint32_t most) {
  pb::ListFlowsRequest request;
  request.set_vm(vm);
  request.set_most(most);
  return call(&pb::Operator::Stub::ListFlows, request);
}

Result<pb::PolicyChange> Client::set_policy(const pb::SetPolicyRequest& request) {
  return call(&pb::Operator::Stub::SetPolicy, request);
}

}  // namespace foreflow::cli
