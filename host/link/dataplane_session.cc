// SPDX-License-Identifier: Apache-2.0
#include "host/link/dataplane_session.h"

#include <thread>

#include <fmt/format.h>

#include "common/log.h"
#include "common/version.h"
#include "common/wire/compress.h"
#include "common/wire/credentials.h"

namespace foreflow::link {
namespace {

constexpr std::chrono::seconds kHelloTimeout{10};
constexpr std::chrono::seconds kLastWords{2};  // for what is still in the outbox when the stream ends

constexpr std::array<std::string_view, 4> kMessageNames{"hello", "report", "applied", "event"};

grpc::StatusCode status_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::kDenied:
      return grpc::StatusCode::PERMISSION_DENIED;
    case ErrorCode::kMalformed:
      return grpc::StatusCode::DATA_LOSS;
    case ErrorCode::kUnavailable:
    case ErrorCode::kExhausted:
    case ErrorCode::kIo:
      return grpc::StatusCode::UNAVAILABLE;
    default:
      return grpc::StatusCode::FAILED_PRECONDITION;
  }
}

}  // namespace

grpc::Status DataplaneSession::run() {
  std::promise<void> writer_done;
  auto done = writer_done.get_future();
  std::thread writer([&, hello_read = hello_read_.get_future()]() mutable {
    write(std::move(hello_read));
    writer_done.set_value();
  });
  auto status = read_first();
  outbox_.close();
  if (done.wait_for(kLastWords) != std::future_status::ready) context_.TryCancel();
  writer.join();
  return status;
}

void DataplaneSession::write(std::future<void> hello_read) {
  if (hello_read.wait_for(kHelloTimeout) != std::future_status::ready) {
    log::warning("session without hello ended", {{"peer", context_.peer()}});
    context_.TryCancel();
  }
  while (const auto message = outbox_.take())
    if (!stream_.Write(wire::to_proto(*message))) return;
}

grpc::Status DataplaneSession::read_first() {
  grpc::ByteBuffer bytes;
  const bool got = stream_.Read(&bytes);
  hello_read_.set_value();
  if (!got) return {grpc::StatusCode::CANCELLED, "stream ended before hello"};
  const auto message = parse(bytes);
  if (!message) return malformed(grpc::StatusCode::INVALID_ARGUMENT, message.error().message);
  const auto* hello = std::get_if<wire::Hello>(&*message);
  if (hello == nullptr)
    return refuse(grpc::StatusCode::INVALID_ARGUMENT,
                  fmt::format("first message: {}, expected hello", kMessageNames[message->index()]));
  if (const auto authentic = authenticate(*hello); !authentic)
    return refuse(grpc::StatusCode::PERMISSION_DENIED, authentic.error().message);
  dataplane_ = hello->dataplane;
  auto status = registry_.enter(dataplane_, *this)
                    ? serve(*hello)
                    : grpc::Status(grpc::StatusCode::ABORTED, "replaced by a newer session of this dataplane");
  registry_.leave(dataplane_, *this);
  return status;
}

Status DataplaneSession::authenticate(const wire::Hello& hello) const {
  const auto pem = context_.auth_context()->FindPropertyValues("x509_pem_cert");
  if (pem.empty()) return fail(ErrorCode::kDenied, "no client certificate");
  const auto identity = wire::read_identity({pem[0].data(), pem[0].size()});
  if (!identity) return tl::unexpected(identity.error());
  if (!identity->carries(hello.dataplane))
    return fail(ErrorCode::kDenied, fmt::format("hello names dataplane '{}', but its certificate is that of '{}'",
                                                hello.dataplane, identity->common_name));
  if (identity->unit == "operator" || identity->unit == "manager")
    return fail(ErrorCode::kDenied, fmt::format("certificate of '{}' is that of {} '{}', expected a dataplane's",
                                                identity->common_name, identity->unit, identity->common_name));
  return {};
}

grpc::Status DataplaneSession::serve(const wire::Hello& hello) {
  if (const auto accepted = handler_.on_hello(hello); !accepted)
    return refuse(status_code(accepted.error().code), accepted.error().message);
  log::info("dataplane connected", {{"dataplane", dataplane_}, {"peer", context_.peer()}, {"version", hello.version}});
  outbox_.put(wire::Welcome{.version = std::string(kVersion)});
  auto status = receive();
  log::info("dataplane disconnected", {{"dataplane", dataplane_}, {"reason", status.error_message()}});
  handler_.on_disconnect(dataplane_);
  return status;
}

grpc::Status DataplaneSession::receive() {
  grpc::ByteBuffer bytes;
  while (stream_.Read(&bytes)) {
    const auto message = parse(bytes);
    if (!message) return malformed(grpc::StatusCode::INVALID_ARGUMENT, message.error().message);
    if (auto status = dispatch(*message); !status.ok()) return status;
  }
  return context_.IsCancelled() ? grpc::Status(grpc::StatusCode::CANCELLED, "connection lost, replaced or closing")
                                : grpc::Status::OK;
}

grpc::Status DataplaneSession::dispatch(const wire::FromDataplane& message) {
  if (const auto* report = std::get_if<wire::CompressedReport>(&message)) return on_report(*report);
  if (const auto* applied = std::get_if<wire::Applied>(&message))
    handler_.on_applied(dataplane_, *applied);
  else if (const auto* event = std::get_if<wire::Event>(&message))
    handler_.on_event(dataplane_, *event);
  else
    return malformed(grpc::StatusCode::INVALID_ARGUMENT, "hello again, expected it once");
  return grpc::Status::OK;
}

grpc::Status DataplaneSession::on_report(const wire::CompressedReport& compressed) {
  const auto report = wire::decompress(compressed);
  if (!report) return malformed(grpc::StatusCode::DATA_LOSS, report.error().message);
  handler_.on_received(dataplane_, {.raw = compressed.raw_size, .compressed = compressed.zstd.size()});
  if (const auto stored = handler_.on_report(dataplane_, compressed.boot_id, *report); !stored) {
    log::debug("report not stored", {{"dataplane", dataplane_},
                                     {"boot_id", compressed.boot_id},
                                     {"sequence", compressed.sequence},
                                     {"error", stored.error().message}});
    return {stored.error().code == ErrorCode::kMalformed ? grpc::StatusCode::DATA_LOSS : grpc::StatusCode::UNAVAILABLE,
            fmt::format("report {} not stored: {}", compressed.sequence, stored.error().message)};
  }
  outbox_.put(wire::Ack{.boot_id = compressed.boot_id, .sequence = compressed.sequence});
  return grpc::Status::OK;
}

Result<wire::FromDataplane> DataplaneSession::parse(grpc::ByteBuffer& bytes) {
  wire::v1::FromDataplane message;
  const auto size = bytes.Length();
  if (!grpc::SerializationTraits<wire::v1::FromDataplane>::Deserialize(&bytes, &message).ok())
    return fail(ErrorCode::kMalformed, fmt::format("{} bytes that are no FromDataplane message", size));
  return wire::from_proto(message);
}

grpc::Status DataplaneSession::malformed(grpc::StatusCode code, const std::string& what) {
  counters_.malformed.fetch_add(1, std::memory_order_relaxed);
  log::warning("malformed message", {{"dataplane", dataplane_}, {"peer", context_.peer()}, {"error", what}});
  return {code, what};
}

grpc::Status DataplaneSession::refuse(grpc::StatusCode code, const std::string& why) {
  counters_.refused.fetch_add(1, std::memory_order_relaxed);
  log::warning("session refused", {{"peer", context_.peer()}, {"error", why}});
  return {code, why};
}

}  // namespace foreflow::link
