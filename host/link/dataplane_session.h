// SPDX-License-Identifier: Apache-2.0
// One dataplane's stream, from Hello to its end.
// Place: host/link. Thread safety: run() in the stream's thread; cancel() and send() from any thread while it runs. A
// second thread writes, so that a peer that does not read never holds up the one that reads, nor any other session.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <future>
#include <string>

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/sync_stream.h>

#include "common/result.h"
#include "common/wire/convert.h"
#include "host/link/outbox.h"
#include "host/link/registry.h"
#include "host/link/server.h"

namespace foreflow::link {

// Raw bytes in, so that a message that does not parse is seen and counted here.
using Stream = grpc::ServerReaderWriter<wire::v1::ToDataplane, grpc::ByteBuffer>;

struct LinkCounters {
  std::atomic<std::uint64_t> malformed{0};
  std::atomic<std::uint64_t> refused{0};
};

class DataplaneSession final : public Seated {
 public:
  DataplaneSession(grpc::ServerContext& context, Stream& stream, SessionHandler& handler, Registry& registry,
                   LinkCounters& counters)
      : context_(context), stream_(stream), handler_(handler), registry_(registry), counters_(counters) {}

  grpc::Status run();
  void cancel() override { context_.TryCancel(); }
  void send(const wire::DesiredState& desired) override { outbox_.put(desired); }

 private:
  grpc::Status read_first();
  grpc::Status serve(const wire::Hello& hello);
  grpc::Status receive();  // until the stream ends
  grpc::Status dispatch(const wire::FromDataplane& message);
  grpc::Status on_report(const wire::CompressedReport& report);
  Status authenticate(const wire::Hello& hello) const;
  Result<wire::FromDataplane> parse(grpc::ByteBuffer& bytes);
  grpc::Status malformed(grpc::StatusCode code, const std::string& what);
  grpc::Status refuse(grpc::StatusCode code, const std::string& why);
  void write(std::future<void> hello_read);

  grpc::ServerContext& context_;
  Stream& stream_;
  SessionHandler& handler_;
  Registry& registry_;
  LinkCounters& counters_;
  Outbox outbox_;
  std::string dataplane_;  // known from Hello on
  std::promise<void> hello_read_;
};

}  // namespace foreflow::link
