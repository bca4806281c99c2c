// SPDX-License-Identifier: Apache-2.0
// Keeps receiving threads and changes of the tables apart: a reader writes only its own cache line, the writer waits
// for the readers that are inside and holds back those that come. Place: dataplane/offload/emulated.
#pragma once
#include <atomic>
#include <memory>
#include <vector>

#include <sched.h>

namespace foreflow::offload::emulated {

class Gate {
 public:
  // One per receive queue; one thread at a time.
  class alignas(64) Reader {
    friend class Gate;
    std::atomic<bool> inside_{false};
  };

  // Not while a Closed lives; before the first enter() of this reader.
  Reader& add() { return *readers_.emplace_back(std::make_unique<Reader>()); }

  void enter(Reader& reader) noexcept {
    while (true) {
      reader.inside_.store(true, std::memory_order_seq_cst);
      if (!closed_.load(std::memory_order_seq_cst)) return;
      reader.inside_.store(false, std::memory_order_release);
      while (closed_.load(std::memory_order_acquire)) sched_yield();
    }
  }
  void leave(Reader& reader) noexcept { reader.inside_.store(false, std::memory_order_release); }

  // While it lives no reader is inside. One at a time.
  class Closed {
   public:
    explicit Closed(Gate& gate) : gate_(gate) {
      gate_.closed_.store(true, std::memory_order_seq_cst);
      for (const auto& reader : gate_.readers_) {
        while (reader->inside_.load(std::memory_order_seq_cst)) sched_yield();
      }
    }
    ~Closed() { gate_.closed_.store(false, std::memory_order_release); }
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    Gate& gate_;
  };

 private:
  alignas(64) std::atomic<bool> closed_{false};
  std::vector<std::unique_ptr<Reader>> readers_;  // only grows
};

}  // namespace foreflow::offload::emulated
