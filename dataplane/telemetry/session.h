// SPDX-License-Identifier: Apache-2.0
// The dataplane's end of the stream to the manager: spools reports until they are acknowledged, receives desired
// states, connects again for ever with back-off. Place: dataplane/telemetry; runs its own thread, talks to the control
// thread through the members below.
#pragma once
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
  std::string manager;  // host:port or unix:/path
  std::filesystem::path ca, certificate, key;
  std::filesystem::path spool_directory;
  Bytes spool_size{64u << 20};  // on disk; the oldest reports are dropped and counted when it is full
};

// Thread safety: all members may be called from one control thread; none blocks longer than a copy.
class Session {
 public:
  // Reads certificates and opens the spool; errors name the file. `hello` gives the identity; its applied generation
  // and ports are kept up to date with update_hello(). `start_thread` runs before anything else in the new thread
  // (affinity).
  static Result<std::unique_ptr<Session>> start(SessionConfig config, wire::Hello hello,
                                                std::function<void()> start_thread = {});
  ~Session();  // flushes to the spool, then closes

  void update_hello(wire::Hello hello);
  void publish(wire::Report report);  // sequence is assigned here
  void publish(wire::Applied applied);
  void publish(wire::Event event);

  // The newest desired state since the last call.
  std::optional<wire::DesiredState> take_desired();

  bool connected() const;
  std::uint64_t dropped_reports() const;  // lost because the spool was full
  std::uint64_t unacknowledged() const;

 private:
  class Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::telemetry
