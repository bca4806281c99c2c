// SPDX-License-Identifier: Apache-2.0
// A bounded queue of records on disk: what append() returned for is there after a crash, in order.
// Place: host/store; between InfluxStore's append and the database.
//
// Format: files `<16 hex digits>.log`, numbered without order gaps; each is `"FFLOWBUF" u32 version` and then records
// as in buffer_frame.h. A tail that does not parse (the process died while it wrote) ends the file; a record that has
// rotted is passed over, up to the next whole one.
// Thread safety: all members from any thread. Appends that arrive while the disk is being synced share the next sync.
#pragma once
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "common/files.h"
#include "common/result.h"

namespace foreflow::store {

class DiskBuffer {
 public:
  struct Config {
    std::filesystem::path folder;  // made when missing
    std::uint64_t limit = 1ull << 30;
    std::uint64_t segment_size = 8ull << 20;  // at most an eighth of the limit: room comes back file by file
  };
  struct Position {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    auto operator<=>(const Position&) const = default;
  };
  struct Batch {
    std::vector<std::string> records;
    Position end;     // read on from here
    std::string gap;  // instead of records: bytes here that have rotted since they were written
  };

  // Shows each record found to `recovered`, in order. kUnavailable: another process has the folder.
  static Result<std::unique_ptr<DiskBuffer>> open(Config config,
                                                  const std::function<void(std::string_view)>& recovered);

  // The record's end, once it is durable. kExhausted: the limit or the disk is reached, nothing was kept.
  Result<Position> append(std::string_view record);

  // Durable records from `from` on: one at least if there is any, then as many as fit in `most` bytes. Or a gap, which
  // ends where the next whole record begins.
  Result<Batch> read(Position from, std::size_t most) const;

  Position begin() const;
  Position end() const;  // of what is durable

  // Removes the segments that lie wholly before `until`, after `before` succeeded (not called when there are none). The
  // segment being written stays, unless `all` is set.
  Status release(Position until, const std::function<Status()>& before, bool all = false);

  std::uint64_t size() const;        // bytes on disk
  std::uint64_t unreadable() const;  // bytes that open() had to skip

 private:
  struct Segment {
    std::uint64_t number;
    std::uint64_t size;  // up to the end of the last good record
    std::shared_ptr<File> file;
  };
  struct SyncRound {  // shared by the appends that one sync makes durable
    bool done = false;
    Status status;
  };

  explicit DiskBuffer(Config config) : config_(std::move(config)) {}
  Status recover(const std::function<void(std::string_view)>& recovered);
  Status recover_segment(std::uint64_t number, const std::function<void(std::string_view)>& recovered);
  std::filesystem::path path_of(std::uint64_t number) const;
  // These need the lock.
  Status write(std::string_view framed);
  Status start_segment();
  Status make_durable(std::unique_lock<std::mutex>& lock);
  void end_round(const std::shared_ptr<SyncRound>& round, Status status);

  const Config config_;
  File folder_lock_;
  mutable std::mutex mutex_;
  std::condition_variable synced_;
  std::deque<Segment> segments_;
  std::shared_ptr<SyncRound> round_ = std::make_shared<SyncRound>();
  bool syncing_ = false;
  bool writing_ = false;  // the last segment takes appends
  Position durable_;
  std::uint64_t next_number_ = 1;
  std::uint64_t size_ = 0;
  std::uint64_t unreadable_ = 0;
};

}  // namespace foreflow::store
