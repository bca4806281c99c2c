// SPDX-License-Identifier: Apache-2.0
// The manager's end of the dataplanes' streams: authenticates by certificate, hands reports on, acknowledges after
// storing, sends desired states.
// Place: host/link.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::link {

// How large a report was before compression, and as it came.
struct ReportSize {
  std::uint64_t raw = 0;
  std::uint64_t compressed = 0;
};

// What the manager does with what arrives. Called from the sessions' threads, one call at a time per dataplane,
// possibly before LinkServer::start() has returned. A call that blocks holds up its own dataplane only. No member may
// throw.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // Error: the session is refused with the message (unknown dataplane, wrong version, ...).
  virtual Status on_hello(const wire::Hello& hello) = 0;
  // Returns once the report is durable, then it is acknowledged; an error leaves it unacknowledged and ends the session
  // (the dataplane comes back with its spool), except kMalformed: the report can never be stored and the dataplane
  // drops and counts it. `boot_id` is that of the process that made the report, not always Hello's. Duplicates by
  // (dataplane, boot id, sequence) are the handler's to drop.
  virtual Status on_report(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) = 0;
  // Before on_report(), for each report that could be decompressed, duplicates and refused ones too.
  virtual void on_received(const std::string& /*dataplane*/, const ReportSize& /*size*/) {}
  virtual void on_applied(const std::string& dataplane, const wire::Applied& applied) = 0;
  virtual void on_event(const std::string& dataplane, const wire::Event& event) = 0;
  // After each on_hello() that succeeded, also when a newer session takes over (then before its on_hello()).
  virtual void on_disconnect(const std::string& dataplane) = 0;
};

struct LinkConfig {
  std::string listen = "127.0.0.1:7443";       // host:port (port 0 = any free) or unix:/path
  std::filesystem::path ca, certificate, key;  // PEM
  std::chrono::seconds certificate_poll{10};   // replaced files are taken up within this time; replace by rename
};

class LinkServer {
 public:
  static Result<std::unique_ptr<LinkServer>> start(const LinkConfig& config, SessionHandler& handler);
  ~LinkServer();  // ends all sessions, waits for running calls

  // Queues the newest desired state for a dataplane; replaces one that is still queued. May be called in on_hello().
  // kNotFound when it has no session (send again in on_hello); kInvalidArgument when the dataplane would refuse it.
  Status send(const std::string& dataplane, const wire::DesiredState& desired);
  int port() const;  // 0 for a unix socket
  std::uint64_t malformed_messages() const;
  std::uint64_t refused_sessions() const;  // wrong name, refused by the handler, first message no Hello

 private:
  class Impl;
  explicit LinkServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::link
