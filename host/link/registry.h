// SPDX-License-Identifier: Apache-2.0
// Which session speaks for which dataplane: the newest. An older one is cancelled, and the newer waits until it has
// left, so the handler sees one session of a dataplane at a time. Place: host/link. Thread safety: all members from any
// thread.
#pragma once
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "common/wire/messages.h"

namespace foreflow::link {

// What the registry needs of a session. Called under the registry's lock: must not block and not call back.
class Seated {
 public:
  virtual ~Seated() = default;
  virtual void cancel() = 0;
  virtual void send(const wire::DesiredState& desired) = 0;
};

class Registry {
 public:
  // Makes `session` the dataplane's newest and waits until the older one has left. False: an even newer one came while
  // waiting, or the server closes. Call leave() in either case.
  bool enter(const std::string& dataplane, Seated& session);
  void leave(const std::string& dataplane, Seated& session);

  bool send(const std::string& dataplane, const wire::DesiredState& desired);

  // Cancels all; nobody enters any more.
  void close();

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  std::map<std::string, Seated*> newest_;
  std::map<std::string, Seated*> serving_;  // the one whose handler calls run
  bool closed_ = false;
};

}  // namespace foreflow::link
