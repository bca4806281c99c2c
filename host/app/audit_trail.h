// SPDX-License-Identifier: Apache-2.0
// Writes each cycle, and what hosts decided since the last one, into the audit and answers from it: what was decided,
// why, and whether it still comes out the same. Place: host/app. Thread safety: keep() by the cycle's thread alone; the
// rest from any thread: they read the files, or leave a note behind a lock.
#pragma once
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/result.h"
#include "host/api/audit_operations.h"
#include "host/app/cycle.h"
#include "host/app/guest_planner.h"
#include "host/app/roster.h"
#include "host/audit/log.h"

namespace foreflow::app {

class AuditTrail {
 public:
  static Result<std::unique_ptr<AuditTrail>> open(const std::filesystem::path& folder, const audit::LogConfig& config);

  // Rounds of CPU and memory, for the next record.
  void note(std::vector<GuestRan> ran);
  // A cycle that cannot be written is an error of the log's, not of the allocation.
  Status keep(const Plan& plan, const Roster& roster, model::Mode mode);

  // What held for the VM at `time`. kNotFound: the audit does not reach back so far, or the VM took no part.
  Result<api::Explanation> explain(const model::Vm& vm, UnixNanos time) const;
  Result<audit::Report> check(bool replay, const audit::Range& range) const;

 private:
  AuditTrail(std::filesystem::path folder, audit::Log log) : folder_(std::move(folder)), log_(std::move(log)) {}
  std::filesystem::path folder_;
  audit::Log log_;
  std::mutex mutex_;             // guards what follows
  std::vector<GuestRan> noted_;  // since the last record
};

}  // namespace foreflow::app
