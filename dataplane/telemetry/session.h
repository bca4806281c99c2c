// SPDX-License-Identifier: Apache-2.0
// The dataplane's end of the stream to the manager: spools reports until they are acknowledged, receives desired
// states, connects again for ever with back-off. Place: dataplane/telemetry; runs its own threads, talks to the control
// thread through the members below.
//
// Durability: a report is written to the spool before it is sent and stays there until the manager has stored it, so
// neither a crash of this process nor one of the manager loses a report. The spool is not synced per report: a power
// cut loses what the kernel had not written yet (about the last 30 s) unless the manager has it already.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/units.h"
#include "common/wire/messages.h"

namespace foreflow::telemetry {

struct SessionConfig {
  std::string manager;                         // host:port or unix:/path
  std::filesystem::path ca, certificate, key;  // PEM; read again at each connection, so they can be replaced
  std::string server_name;  // expected in the manager's certificate; empty = the host, or localhost for a unix socket
  std::filesystem::path spool_directory;
  Bytes spool_size{64u << 20};  // on disk; the oldest reports are dropped and counted when it is full
};

// Thread safety: all members may be called from one control thread; none blocks longer than a copy.
class Session {
 public:
  // Reads certificates and opens the spool; errors name the file. `hello` gives the identity and the boot id (0 = made
  // here); its applied generation and ports are kept up to date with update_hello(). `start_thread` runs before
  // anything else in each new thread (affinity).
  static Result<std::unique_ptr<Session>> start(SessionConfig config, wire::Hello hello,
                                                std::function<void()> start_thread = {});
  ~Session();  // flushes to the spool, then closes

  void update_hello(wire::Hello hello);
  // Sequence and dataplane.spool_dropped_reports are filled in here.
  void publish(wire::Report report);
  // The newest is kept and told to each new session.
  void publish(wire::Applied applied);
  // At most once; the oldest of many that cannot be sent are dropped.
  void publish(wire::Event event);

  // The newest desired state since the last call.
  std::optional<wire::DesiredState> take_desired();

  // Waits until everything published is acknowledged; false when `timeout` came first. Blocks: not for a control loop.
  bool flush(std::chrono::milliseconds timeout);

  bool connected() const;                 // the manager has accepted Hello
  std::string last_error() const;         // why there is no session; empty while connected
  std::uint64_t dropped_reports() const;  // lost because the spool was full
  std::uint64_t unacknowledged() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::telemetry
