// SPDX-License-Identifier: Apache-2.0
// The thread that empties a disk buffer into InfluxDB.
// Place: host/store; owned by InfluxStore.
// Thread safety: all members from any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>

#include "common/result.h"
#include "host/store/disk_buffer.h"
#include "host/store/http.h"
#include "host/store/line_delivery.h"
#include "host/store/watermarks.h"

namespace foreflow::store {

class InfluxSender {
 public:
  struct Config {
    HttpConfig http;
    std::string database;
    bool create_database = true;
    std::chrono::milliseconds first_retry;
    std::chrono::milliseconds longest_retry;
    std::filesystem::path watermark_file;
  };
  // Before a file of the buffer goes, the watermarks in it are saved in `watermark_file`.
  InfluxSender(Config config, DiskBuffer& buffer, Watermarks& watermarks);
  ~InfluxSender();

  void wake();
  // Stops in the middle of a request; then sent() is final.
  void stop();

  // Waits until everything before `until` is delivered. kUnavailable when an attempt fails meanwhile or `wait` is over.
  Status flush(DiskBuffer::Position until, std::chrono::milliseconds wait);

  DiskBuffer::Position sent() const;
  std::uint64_t delivered() const;  // points that left the buffer, refused ones too
  std::uint64_t rejected() const;   // or lost in a gap of the buffer
  std::string last_error() const;

 private:
  void run();
  bool take_batch();  // false: nothing left or a failure, wait
  void skip_to(DiskBuffer::Position end);
  void note_gap(const DiskBuffer::Batch& batch);
  void note_success(DiskBuffer::Position end, std::uint64_t points, const Delivery& delivery);
  void note_failure(Outcome outcome, const std::string& reason);

  const Config config_;
  DiskBuffer& buffer_;
  Watermarks& watermarks_;
  std::atomic<bool> stop_{false};
  HttpClient http_;
  LineDelivery lines_;

  mutable std::mutex mutex_;
  std::condition_variable work_, progress_;
  DiskBuffer::Position sent_;
  std::uint64_t delivered_ = 0, rejected_ = 0, failures_ = 0;
  std::chrono::milliseconds pause_{0};  // until the next attempt after a failure
  bool hurry_ = false;                  // somebody waits in flush(): do not sit out the pause
  std::string last_error_;
  std::thread thread_;  // last: starts when all else is there
};

}  // namespace foreflow::store
