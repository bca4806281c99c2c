// SPDX-License-Identifier: Apache-2.0
// Connects to the manager for ever, one gRPC stream at a time, and carries messages between it and the Exchange.
// Place: dataplane/telemetry, inside Session. Thread safety: run() in one thread; stop() from any other.
#pragma once
#include <memory>
#include <mutex>
#include <string>

#include "common/result.h"
#include "common/wire/foreflow.grpc.pb.h"
#include "dataplane/telemetry/exchange.h"
#include "dataplane/telemetry/session.h"

namespace foreflow::telemetry {

class ManagerLink {
 public:
  ManagerLink(SessionConfig config, Exchange& exchange) : config_(std::move(config)), exchange_(exchange) {}

  void run();   // until stop()
  void stop();  // breaks the stream off; what is not acknowledged is in the spool

 private:
  using Stream = grpc::ClientReaderWriter<wire::v1::FromDataplane, wire::v1::ToDataplane>;

  Status run_session();
  Result<std::shared_ptr<grpc::Channel>> connect() const;
  void read(Stream& stream);
  bool write(Stream& stream);  // until the session is over; false when the manager never answered Hello
  Status explain(const grpc::Status& status) const;

  const SessionConfig config_;
  Exchange& exchange_;
  std::mutex mutex_;
  grpc::ClientContext* context_ = nullptr;  // of the running session
  bool stopping_ = false;
};

}  // namespace foreflow::telemetry
