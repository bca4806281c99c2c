// SPDX-License-Identifier: Apache-2.0
// InfluxDB 1.x, and what speaks its line protocol and InfluxQL, as a SeriesStore.
// Place: host/store.
//
// append() returns once points and watermark are in an fsynced buffer on this machine's disk; a thread takes them to
// the database from there, for as long as that needs. range() and last() first wait until the database has what was
// acknowledged before the call (at most `read_wait`) and are kUnavailable when it cannot be reached.
#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

struct InfluxConfig {
  std::string url = "http://127.0.0.1:8086";  // with a path where a proxy or cluster wants one
  std::string database = "foreflow";
  bool create_database = true;          // when it is missing; otherwise points wait and health() says so
  std::filesystem::path ca;             // PEM of https; empty = the system's
  std::string username;                 // empty = no authentication
  std::filesystem::path password_file;  // mode 0600
  std::filesystem::path buffer;         // folder, of this store alone
  std::uint64_t buffer_limit = 1ull << 30;
  std::chrono::milliseconds read_wait{5'000};
  std::chrono::milliseconds first_retry{250};  // doubled with each failure
  std::chrono::milliseconds longest_retry{30'000};
};

class InfluxStore final : public SeriesStore {
 public:
  // Does not need the server. kInvalidConfig: URL, names or password file; kUnavailable: the buffer is in use.
  static Result<std::unique_ptr<InfluxStore>> open(const InfluxConfig& config);
  ~InfluxStore() override;  // what is not sent stays in the buffer

  Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) override;
  Result<std::vector<Point>> range(const RangeQuery& query) override;
  Result<std::optional<Point>> last(Measurement measurement, const std::string& vm) override;
  Result<std::uint64_t> watermark(const std::string& dataplane, std::uint64_t boot_id) override;
  Health health() const override;

 private:
  class Impl;
  explicit InfluxStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::store
