// SPDX-License-Identifier: Apache-2.0
// Real loopback sessions between the product's two ends, with certificates made by scripts/dev-certs.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/telemetry/session.h"
#include "host/link/server.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::test {

// True as soon as `condition` holds; false when it does not within 20 s (a busy machine, not a wish).
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

// A manager's handler that remembers, drops duplicates as the store does, and can be told to fail.
class RecordingHandler final : public link::SessionHandler {
 public:
  struct Stored {
    std::string dataplane;
    std::uint64_t boot_id;
    std::uint64_t sequence;
    std::int64_t time;
    auto operator<=>(const Stored&) const = default;
  };

  Status on_hello(const wire::Hello& hello) override {
    const std::lock_guard lock(mutex_);
    events_.push_back("hello " + hello.dataplane);
    hellos_.push_back(hello);
    return hello_answer_;
  }
  Status on_report(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    if (const auto delay = delay_[dataplane]; delay.count() != 0) {
      lock.unlock();
      std::this_thread::sleep_for(delay);
      lock.lock();
    }
    if (!report_answer_) return report_answer_;
    auto& watermark = watermarks_[{dataplane, boot_id}];
    if (report.sequence <= watermark) return {};
    if (report.sequence != watermark + 1) ++gaps_;
    watermark = report.sequence;
    stored_.push_back({dataplane, boot_id, report.sequence, report.time.value});
    announced_lost_ += report.dataplane.spool_dropped_reports;
    return {};
  }
  void on_received(const std::string&, const link::ReportSize& size) override {
    const std::lock_guard lock(mutex_);
    received_.push_back(size);
  }
  void on_applied(const std::string&, const wire::Applied& applied) override {
    const std::lock_guard lock(mutex_);
    applied_.push_back(applied);
  }
  void on_event(const std::string&, const wire::Event& event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event.kind + " " + event.text);
  }
  void on_disconnect(const std::string& dataplane) override {
    const std::lock_guard lock(mutex_);
    events_.push_back("disconnect " + dataplane);
  }

  void answer_hello(Status status) { set(hello_answer_, std::move(status)); }
  void answer_reports(Status status) { set(report_answer_, std::move(status)); }
  void delay(const std::string& dataplane, std::chrono::milliseconds time) { set(delay_[dataplane], time); }

  std::vector<Stored> stored() const { return get(stored_); }
  std::vector<link::ReportSize> received() const { return get(received_); }
  std::vector<wire::Applied> applied() const { return get(applied_); }
  std::vector<std::string> events() const { return get(events_); }
  std::vector<wire::Hello> hellos() const { return get(hellos_); }
  std::uint64_t announced_lost() const { return get(announced_lost_); }  // sum over the stored reports
  int calls() const { return get(calls_); }
  int gaps() const { return get(gaps_); }

 private:
  template <typename T>
  T get(const T& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }
  template <typename T>
  void set(T& to, T value) {
    const std::lock_guard lock(mutex_);
    to = std::move(value);
  }

  mutable std::mutex mutex_;
  Status hello_answer_;
  Status report_answer_;
  std::map<std::string, std::chrono::milliseconds> delay_;
  std::map<std::pair<std::string, std::uint64_t>, std::uint64_t> watermarks_;
  std::vector<Stored> stored_;
  std::vector<link::ReportSize> received_;
  std::vector<wire::Applied> applied_;
  std::vector<wire::Hello> hellos_;
  std::vector<std::string> events_;
  std::uint64_t announced_lost_ = 0;
  int calls_ = 0;
  int gaps_ = 0;
};

class SessionTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  // Runs scripts/dev-certs with DIR = certificates / `set`.
  static void make_certificates(const std::string& set, const std::string& options);
  static std::filesystem::path certificates(const std::string& set) { return certificates_->path() / set; }

  // `name`'s certificate of a set; listens on the port of the last manager when there was one.
  void start_manager(const std::string& set = "good", const std::string& name = "foreflowd");
  void stop_manager() { manager_.reset(); }

  telemetry::SessionConfig config(const std::string& name = "dp1", const std::string& set = "good") const;
  std::unique_ptr<telemetry::Session> dataplane(const telemetry::SessionConfig& config, const std::string& id = "dp1",
                                                std::uint64_t boot_id = 1) const;
  std::unique_ptr<telemetry::Session> dataplane(const std::string& id = "dp1", std::uint64_t boot_id = 1) const {
    return dataplane(config(id), id, boot_id);
  }

  static wire::Report report(std::int64_t time);
  static void publish(telemetry::Session& session, std::int64_t from, std::int64_t to);

  TemporaryDirectory directory_;
  RecordingHandler handler_;
  std::string address_;  // of the manager, after its first start
  std::unique_ptr<link::LinkServer> manager_;

 private:
  static TemporaryDirectory* certificates_;
};

}  // namespace foreflow::test
