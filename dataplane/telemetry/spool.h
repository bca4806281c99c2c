// SPDX-License-Identifier: Apache-2.0
// A bounded ring of compressed reports on disk: first in, first out, what is acknowledged is released, and when it is
// full the oldest reports make room and are counted.
// Place: dataplane/telemetry. Thread safety: none; Session guards it with its lock.
//
// The ring is a row of segment files (spool_segment.h), so that making room is removing a file. Opening finds every
// whole record again; torn or rotten ones are skipped and counted. Reports of a segment whose last record is not yet
// released may be found again after a restart: the manager drops them by (boot id, sequence).
#pragma once
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>

#include "common/result.h"
#include "common/units.h"
#include "common/wire/messages.h"
#include "dataplane/telemetry/spool_segment.h"

namespace foreflow::telemetry {

class Spool {
 public:
  // Where a record stands in the order of arrival; grows without end within one process.
  using Position = std::uint64_t;

  static constexpr Bytes kSmallest{64u << 10};
  static constexpr std::size_t kMostRecords = 1u << 18;  // bounds the index in memory, three days of reports

  // Makes the directory when it is missing and locks it against other processes. Errors name it.
  static Result<Spool> open(std::filesystem::path directory, Bytes capacity);
  Spool(Spool&&) noexcept;
  Spool& operator=(Spool&&) noexcept;
  ~Spool();

  // `announced` lost reports are spoken of in it: should it be dropped, they have to be announced anew (unannounced()).
  // kExhausted or kIo when the disk does not take it; older reports may have made room for it all the same.
  Status append(const wire::CompressedReport& report, std::uint64_t announced = 0);

  // Positions first() <= p < end() can be read, but for those given up.
  Position first() const { return first_; }
  Position end() const { return first_ + entries_.size(); }
  bool holds(Position position) const;
  // kMalformed: the record has rotted on disk since it was written.
  Result<wire::CompressedReport> read(Position position) const;

  // Forgets from the front everything of this boot up to and including `sequence`.
  void release(std::uint64_t boot_id, std::uint64_t sequence);
  // Gives a record up that cannot be read or can never be stored. Counted as dropped; it waits for no acknowledgement.
  void drop(Position position);
  void drop_first() { drop(first_); }

  std::uint64_t count() const { return entries_.size(); }
  Bytes size() const { return size_; }                        // on disk
  std::uint64_t dropped() const { return dropped_; }          // reports lost since open()
  std::uint64_t unannounced() const { return unannounced_; }  // of the sum of `announced`, what went with dropped ones
  std::uint64_t damaged() const { return damaged_; }          // gaps of unreadable bytes found by open()

 private:
  struct Entry {
    std::uint64_t boot_id;
    std::uint64_t sequence;
    std::uint64_t announced;
    std::uint64_t segment;  // its number
    SegmentRange range;
    bool given_up = false;  // stays until those before it have gone, so that positions stay
  };
  class Directory;

  Spool(std::unique_ptr<Directory> directory, Bytes capacity);
  Status load();
  Status roll();  // begins a new segment
  void make_room(std::uint64_t bytes);
  void drop_oldest_segment();
  void pop_front();
  void count_dropped(Entry& entry);
  void remove_released();

  std::unique_ptr<Directory> directory_;
  Bytes capacity_;
  Bytes size_;
  std::deque<Segment> segments_;  // oldest first; appends go to the last
  std::deque<Entry> entries_;     // what is not released, oldest first
  Position first_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t unannounced_ = 0;
  std::uint64_t damaged_ = 0;
};

}  // namespace foreflow::telemetry
