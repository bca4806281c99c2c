// SPDX-License-Identifier: Apache-2.0
#include "host/link/server.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/rpc_service_method.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/support/method_handler.h>

#include "common/listening.h"
#include "common/wire/library_log.h"
#include "common/wire/limits.h"
#include "common/wire/server_credentials.h"
#include "host/link/dataplane_session.h"

namespace foreflow::link {
namespace {

constexpr int kMostThreads = 8'192;  // one per session and gRPC's pollers
constexpr std::chrono::seconds kShutdown{2};

void bound(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(static_cast<int>(wire::kLargestMessage));
  builder.SetMaxSendMessageSize(static_cast<int>(wire::kLargestMessage));
  builder.SetResourceQuota(grpc::ResourceQuota("link").SetMaxThreads(kMostThreads));
  builder.SetDefaultCompressionAlgorithm(GRPC_COMPRESS_NONE);      // reports are compressed already
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);         // a second manager must fail, not share
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 4);  // per connection; one is used
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5'000);
}

// The Fabric service of foreflow.proto with raw requests, for which protoc generates no synchronous form.
class FabricService final : public grpc::Service {
 public:
  explicit FabricService(SessionHandler& handler) : handler_(handler) {
    using Handler = grpc::internal::BidiStreamingHandler<FabricService, grpc::ByteBuffer, wire::v1::ToDataplane>;
    AddMethod(new grpc::internal::RpcServiceMethod(
        "/foreflow.wire.v1.Fabric/Session", grpc::internal::RpcMethod::BIDI_STREAMING,
        new Handler([](FabricService* self, grpc::ServerContext* context,
                       Stream* stream) { return self->serve(*context, *stream); },
                    this)));
  }

  Registry registry;
  LinkCounters counters;

 private:
  grpc::Status serve(grpc::ServerContext& context, Stream& stream) {
    return DataplaneSession(context, stream, handler_, registry, counters).run();
  }

  SessionHandler& handler_;
};

}  // namespace

class LinkServer::Impl {
 public:
  explicit Impl(SessionHandler& handler) : service(handler) {}

  Status listen(const LinkConfig& config) {
    const auto credentials =
        wire::server_credentials({config.ca, config.certificate, config.key}, config.certificate_poll);
    if (!credentials) return tl::unexpected(credentials.error());
    grpc::ServerBuilder builder;
    bound(builder);
    builder.AddListeningPort(config.listen, *credentials, &port);
    builder.RegisterService(&service);
    server = builder.BuildAndStart();
    if (!server)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("link: cannot listen on '{}': {}; expected a free host:port or unix:/path", config.listen,
                              why_no_listening(config.listen)));
    if (config.listen.starts_with("unix:")) port = 0;
    return {};
  }

  FabricService service;
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

Result<std::unique_ptr<LinkServer>> LinkServer::start(const LinkConfig& config, SessionHandler& handler) {
  wire::route_library_logs();
  auto impl = std::make_unique<Impl>(handler);
  if (auto listening = impl->listen(config); !listening) return tl::unexpected(listening.error());
  return std::unique_ptr<LinkServer>(new LinkServer(std::move(impl)));
}

LinkServer::LinkServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

LinkServer::~LinkServer() {
  impl_->service.registry.close();
  impl_->server->Shutdown(std::chrono::system_clock::now() + kShutdown);
}

Status LinkServer::send(const std::string& dataplane, const wire::DesiredState& desired) {
  const auto message = wire::to_proto(wire::ToDataplane(desired));
  if (const auto accepted = wire::from_proto(message); !accepted)
    return fail(ErrorCode::kInvalidArgument, accepted.error().message);
  if (const auto size = message.ByteSizeLong(); size > wire::kLargestMessage)
    return fail(ErrorCode::kInvalidArgument,
                fmt::format("desired_state: {} bytes, expected at most {}", size, wire::kLargestMessage));
  if (impl_->service.registry.send(dataplane, desired)) return {};
  return fail(ErrorCode::kNotFound, fmt::format("dataplane '{}' has no session", dataplane));
}

int LinkServer::port() const { return impl_->port; }

std::uint64_t LinkServer::malformed_messages() const {
  return impl_->service.counters.malformed.load(std::memory_order_relaxed);
}

std::uint64_t LinkServer::refused_sessions() const {
  return impl_->service.counters.refused.load(std::memory_order_relaxed);
}

}  // namespace foreflow::link
