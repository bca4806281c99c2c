// SPDX-License-Identifier: Apache-2.0
#include "host/api/server.h"

#include <chrono>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "common/listening.h"
#include "common/wire/server_credentials.h"
#include "host/api/auditor.h"
#include "host/api/service.h"

namespace foreflow::api {
namespace {

constexpr int kLargestRequest = 1 << 20;
constexpr int kMostThreads = 8;
constexpr std::chrono::seconds kDrain{2};

}  // namespace

class ApiServer::Impl {
 public:
  Impl(std::vector<std::string> operators, const Answerers& answerers)
      : gate_(std::move(operators)), service_(gate_, answerers), auditor_(gate_, answerers.audit, answerers.policy) {}
  ~Impl() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + kDrain);
  }

  Status listen(const ApiConfig& config) {
    const auto secret = wire::server_credentials({config.ca, config.certificate, config.key}, config.certificate_poll);
    if (!secret) return tl::unexpected(secret.error());
    grpc::ResourceQuota quota("api");
    quota.SetMaxThreads(kMostThreads);
    grpc::ServerBuilder builder;
    builder.SetResourceQuota(quota);
    builder.SetMaxReceiveMessageSize(kLargestRequest);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddListeningPort(config.listen, *secret, &port_);
    is_unix_ = config.listen.starts_with("unix:");
    builder.RegisterService(&service_);
    builder.RegisterService(&auditor_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("api: cannot listen on '{}': {}; expected a free host:port or unix:/path", config.listen,
                              why_no_listening(config.listen)));
    return {};
  }

  // gRPC says 1 for a unix socket.
  int port() const { return is_unix_ ? 0 : port_; }

 private:
  Gate gate_;
  Service service_;
  Auditor auditor_;
  int port_ = 0;
  bool is_unix_ = false;
  std::unique_ptr<grpc::Server> server_;
};

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;
int ApiServer::port() const { return impl_->port(); }

Result<std::unique_ptr<ApiServer>> ApiServer::start(const ApiConfig& config, const Answerers& answerers) {
  auto impl = std::make_unique<Impl>(config.operators, answerers);
  if (auto listening = impl->listen(config); !listening) return tl::unexpected(listening.error());
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

}  // namespace foreflow::api
