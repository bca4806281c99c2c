// SPDX-License-Identifier: Apache-2.0
// The manager's end of the dataplanes' streams: authenticates by certificate, hands reports on, acknowledges after
// storing, sends desired states.
// Place: host/link.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::link {

// What the manager does with what arrives. Called from the sessions' threads, one call at a time per dataplane.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  // Error: the session is refused with the message (unknown dataplane, wrong version, ...).
  virtual Status on_hello(const wire::Hello& hello) = 0;
  // Returns once the report is durable, then it is acknowledged; an error leaves it unacknowledged and ends the session
  // (the dataplane comes back with its spool). Duplicates by (dataplane, boot id, sequence) are the handler's to drop.
  virtual Status on_report(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) = 0;
  virtual void on_applied(const std::string& dataplane, const wire::Applied& applied) = 0;
  virtual void on_event(const std::string& dataplane, const wire::Event& event) = 0;
  virtual void on_disconnect(const std::string& dataplane) = 0;
};

struct LinkConfig {
  std::string listen = "127.0.0.1:7443";  // host:port (port 0 = any free) or unix:/path
  std::filesystem::path ca, certificate, key;
};

class LinkServer {
 public:
  static Result<std::unique_ptr<LinkServer>> start(LinkConfig config, SessionHandler& handler);
  ~LinkServer();  // ends all sessions, waits for running calls

  // Queues the newest desired state for a dataplane; kNotFound when it has no session (send again in on_hello).
  Status send(const std::string& dataplane, const wire::DesiredState& desired);
  int port() const;
  std::uint64_t malformed_messages() const;

 private:
  class Impl;
  explicit LinkServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::link
