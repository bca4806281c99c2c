// SPDX-License-Identifier: Apache-2.0
// What the manager still has to tell one dataplane. Bounded by its meaning: only the newest desired state counts, and
// an acknowledgement includes the earlier ones. Place: host/link. Thread safety: all members from any thread; one
// thread takes.
#pragma once
#include <condition_variable>
#include <mutex>
#include <optional>
#include <vector>

#include "common/wire/messages.h"

namespace foreflow::link {

class Outbox {
 public:
  // Until then nothing is taken: Welcome is the first message.
  void put(wire::Welcome welcome);
  void put(wire::Ack ack);
  void put(wire::DesiredState desired);

  // Waits; nullopt when the outbox is closed and, if it was ever welcome, empty.
  std::optional<wire::ToDataplane> take();
  void close();

 private:
  std::optional<wire::ToDataplane> next();

  std::mutex mutex_;
  std::condition_variable changed_;
  bool welcomed_ = false;
  bool closed_ = false;
  std::optional<wire::Welcome> welcome_;
  std::vector<wire::Ack> acks_;  // one per boot id, in order of arrival
  std::optional<wire::DesiredState> desired_;
};

}  // namespace foreflow::link
