// SPDX-License-Identifier: Apache-2.0
// Where the session's threads meet: what is to be sent, what was received, and how far the manager has it.
// Place: dataplane/telemetry, inside Session. Thread safety: all members; each says which thread calls it.
//
// Two locks, taken in this order: `spool_mutex_` for the disk, `mutex_` for everything else. Control takes the second
// only, so a slow disk never holds it up.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/wire/messages.h"
#include "dataplane/telemetry/spool.h"

namespace foreflow::telemetry {

class Exchange {
 public:
  Exchange(Spool spool, wire::Hello hello);

  // ---- control
  void update_hello(wire::Hello hello);
  void publish(wire::Report report);
  void publish(wire::Applied applied);
  void publish(wire::Event event);
  std::optional<wire::DesiredState> take_desired();
  bool flush(std::chrono::milliseconds timeout);
  bool connected() const;
  std::string last_error() const;
  std::uint64_t dropped_reports() const;
  std::uint64_t unacknowledged() const;
  void stop();

  // ---- spool thread: takes published reports to the disk until stop() and until none is left
  void run_spool();

  // ---- link thread
  wire::Hello begin_session();
  // The next message for the manager, after waiting for Welcome and for something to say. nullopt: the session is over.
  std::optional<wire::FromDataplane> next();
  // False when next() gave up waiting for Welcome.
  bool answered() const;
  bool welcomed() const;
  // What became of the session. True when it got something done, so that the next attempt need not wait long.
  bool end_session(const Status& outcome);
  // The manager can never store the first report that it has not acknowledged.
  void give_up_first();
  // The manager would refuse the report that next() gave last.
  void give_up_last();
  bool sleep(std::chrono::milliseconds time);  // false when stopped

  // ---- reader thread
  void receive(const wire::ToDataplane& message);
  void stream_ended();

 private:
  void spool(wire::Report report);
  void note_spool();  // with spool_mutex_
  std::uint64_t to_announce() const;
  bool has_report() const { return cursor_ < spool_end_ && cursor_ - spool_first_ < kMostInFlight; }
  std::optional<wire::CompressedReport> read_spool(Spool::Position position);
  void acknowledge(const wire::Ack& ack);
  void welcome(const wire::Welcome& welcome);

  static constexpr std::uint64_t kMostInFlight = 32;
  static constexpr std::size_t kMostQueued = 64;
  static constexpr std::size_t kMostEvents = 256;

  std::mutex spool_mutex_;
  Spool spool_;
  std::uint64_t next_sequence_ = 1;         // spool thread
  std::uint64_t announced_ = 0;             // spool thread; lost reports that spooled ones speak of
  std::optional<std::string> spool_fault_;  // spool thread; logged when it changes
  const std::uint64_t boot_id_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  wire::Hello hello_;
  std::deque<wire::Report> queue_;  // published, not in the spool
  bool spooling_ = false;           // one more is between the two
  std::uint64_t lost_before_spool_ = 0;
  std::uint64_t spool_dropped_ = 0;
  std::uint64_t spool_unannounced_ = 0;
  Spool::Position spool_first_ = 0;
  Spool::Position spool_end_ = 0;
  Spool::Position cursor_ = 0;  // of the next report to send
  Spool::Position last_ = 0;    // link thread; of the report sent last
  std::optional<wire::Applied> applied_;
  bool applied_pending_ = false;
  std::deque<wire::Event> events_;
  std::optional<wire::DesiredState> desired_;
  bool welcomed_ = false;
  bool ended_ = true;
  bool progress_ = false;
  std::chrono::steady_clock::time_point began_;
  std::string last_error_ = "not connected yet";
};

}  // namespace foreflow::telemetry
