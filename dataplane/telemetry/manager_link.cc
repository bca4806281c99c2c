// SPDX-License-Identifier: Apache-2.0
#include "dataplane/telemetry/manager_link.h"

#include <random>
#include <thread>
#include <variant>

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/wire/connect_error.h"
#include "common/wire/convert.h"
#include "common/wire/credentials.h"
#include "common/wire/limits.h"
#include "dataplane/telemetry/backoff.h"

namespace foreflow::telemetry {

void ManagerLink::run() {
  Backoff backoff(std::random_device{}());
  do
    if (exchange_.end_session(run_session())) backoff.reset();
  while (exchange_.sleep(backoff.next()));
}

void ManagerLink::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  if (context_ != nullptr) context_->TryCancel();
}

Status ManagerLink::run_session() {
  const auto hello = exchange_.begin_session();
  const auto channel = connect();
  if (!channel) return tl::unexpected(channel.error());
  const auto stub = wire::v1::Fabric::NewStub(*channel);
  grpc::ClientContext context;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return {};
    context_ = &context;
  }
  const auto stream = stub->Session(&context);
  std::thread reader([&] { read(*stream); });
  const bool answered = !stream->Write(wire::to_proto(wire::FromDataplane(hello))) || write(*stream);
  if (!answered) context.TryCancel();
  reader.join();
  const auto status = stream->Finish();
  {
    const std::lock_guard lock(mutex_);
    context_ = nullptr;
  }
  if (status.error_code() == grpc::StatusCode::DATA_LOSS) exchange_.give_up_first();
  if (!answered) return fail(ErrorCode::kUnavailable, fmt::format("{}: no answer to hello", config_.manager));
  return explain(status);
}

bool ManagerLink::write(Stream& stream) {
  while (const auto message = exchange_.next()) {
    const auto proto = wire::to_proto(*message);
    if (const auto accepted = wire::from_proto(proto); !accepted || proto.ByteSizeLong() > wire::kLargestMessage) {
      log::error("message not sent",
                 {{"bytes", proto.ByteSizeLong()},
                  {"error", accepted ? "larger than the manager accepts" : accepted.error().message}});
      if (std::holds_alternative<wire::CompressedReport>(*message)) exchange_.give_up_last();
      continue;
    }
    if (!stream.Write(proto)) break;
  }
  return exchange_.answered();
}

void ManagerLink::read(Stream& stream) {
  wire::v1::ToDataplane proto;
  while (stream.Read(&proto)) {
    const auto message = wire::from_proto(proto);
    if (message) {
      exchange_.receive(*message);
      continue;
    }
    // The last good desired state stays in force, and the operator hears why.
    log::error("message from the manager refused", {{"error", message.error().message}});
    exchange_.publish(wire::Event{SystemClock{}.now(), "message_refused", message.error().message});
  }
  exchange_.stream_ended();
}

Result<std::shared_ptr<grpc::Channel>> ManagerLink::connect() const {
  const auto credentials = wire::load_credentials({config_.ca, config_.certificate, config_.key});
  if (!credentials) return tl::unexpected(credentials.error());
  if (const auto valid = wire::check_valid(*credentials, SystemClock{}.now()); !valid)
    return fail(valid.error().code, fmt::format("{}: {}", config_.certificate.string(), valid.error().message));
  grpc::ChannelArguments arguments;
  const bool local = config_.manager.starts_with("unix:");
  const auto name = config_.server_name.empty() && local ? "localhost" : config_.server_name;
  if (!name.empty()) arguments.SetSslTargetNameOverride(name);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(wire::kLargestMessage));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);     // a connection of its own, with the files of now
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);  // bounds one attempt; ManagerLink does the repeating
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(
      config_.manager, grpc::SslCredentials({credentials->ca, credentials->key, credentials->certificate}), arguments);
}

Status ManagerLink::explain(const grpc::Status& status) const {
  if (status.ok()) return {};
  const bool denied = status.error_code() == grpc::StatusCode::PERMISSION_DENIED;
  auto why = fmt::format("{}: {}", config_.manager, status.error_message());
  const auto error = wire::connect_error(status);
  if (error == wire::ConnectError::kNotTrusted)
    why += fmt::format(" (the manager's certificate has expired or is not signed by {})", config_.ca.string());
  else if (error == wire::ConnectError::kHungUp && !exchange_.welcomed())
    why +=
        fmt::format(" (the manager may refuse {}: another CA, or expired by its clock)", config_.certificate.string());
  return fail(denied ? ErrorCode::kDenied : ErrorCode::kUnavailable, std::move(why));
}

}  // namespace foreflow::telemetry
