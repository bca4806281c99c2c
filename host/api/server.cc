// SPDX-License-Identifier: Apache-2.0
#include "host/api/server.h"

#include <chrono>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "host/api/service.h"

namespace foreflow::api {
namespace {

constexpr int kLargestRequest = 64 << 10;
constexpr int kMostThreads = 8;
constexpr std::chrono::seconds kDrain{2};

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) return fail(ErrorCode::kIo, fmt::format("{}: cannot be read", path.string()));
  return text.str();
}

Result<std::shared_ptr<grpc::ServerCredentials>> credentials(const ApiConfig& config) {
  const auto ca = read_file(config.ca);
  const auto certificate = read_file(config.certificate);
  const auto key = read_file(config.key);
  for (const auto* file : {&ca, &certificate, &key})
    if (!*file) return tl::unexpected(file->error());
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = *ca;
  options.pem_key_cert_pairs.push_back({*key, *certificate});
  return grpc::SslServerCredentials(options);
}

}  // namespace

class ApiServer::Impl {
 public:
  Impl(std::vector<std::string> operators, Operations& operations) : service_(std::move(operators), operations) {}
  ~Impl() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now() + kDrain);
  }

  Status listen(const ApiConfig& config) {
    auto secret = credentials(config);
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
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("api: cannot listen on {} with {}: the address is in use or not ours, or certificate and "
                              "key do not belong together",
                              config.listen, config.certificate.string()));
    return {};
  }

  // gRPC says 1 for a unix socket.
  int port() const { return is_unix_ ? 0 : port_; }

 private:
  Service service_;
  int port_ = 0;
  bool is_unix_ = false;
  std::unique_ptr<grpc::Server> server_;
};

ApiServer::ApiServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ApiServer::~ApiServer() = default;
int ApiServer::port() const { return impl_->port(); }

Result<std::unique_ptr<ApiServer>> ApiServer::start(const ApiConfig& config, Operations& operations) {
  auto impl = std::make_unique<Impl>(config.operators, operations);
  if (auto listening = impl->listen(config); !listening) return tl::unexpected(listening.error());
  return std::unique_ptr<ApiServer>(new ApiServer(std::move(impl)));
}

}  // namespace foreflow::api
