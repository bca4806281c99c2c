// SPDX-License-Identifier: Apache-2.0
// What an operator can ask about past decisions; implemented by host/app, served by ApiServer.
// Place: host/api. Plain values only.
#pragma once
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/units.h"
#include "host/audit/entry.h"
#include "host/audit/reader.h"
#include "host/policy/version.h"

namespace foreflow::api {

struct Otherwise {
  std::string change;  // "without its cap of 50 Mbit/s"
  BytesPerSecond cir, pir;
};

// Of memory `pir` is what is in force now, on its way to `cir`.
struct DirectionExplanation {
  audit::Subject subject = audit::Subject::kEgress;
  UnixNanos time;         // of the round
  std::string model;      // empty: there was no forecast
  BytesPerSecond demand;  // the forecast's quantile of the tier
  BytesPerSecond peak;    // its q.999
  BytesPerSecond before;  // what it asked for in the cycle before
  BytesPerSecond want;    // what it asked for
  BytesPerSecond guarantee, cap, grant, cir, pir;
  BytesPerSecond installed;  // PIR in force before
  bool limited = false;
  bool known = true;      // the forecast was believed
  bool enforced = false;  // the limit went to the dataplane
  std::string binding;    // why it is not more
  std::vector<Otherwise> counterfactuals;
};

struct Explanation {
  std::string vm;
  std::string dataplane;
  UnixNanos time;  // of the cycle
  std::uint64_t policy_version = 0;
  std::vector<DirectionExplanation> directions;
};

struct ShadowLimit {
  std::string vm;
  Direction direction = Direction::kEgress;
  BytesPerSecond active_cir, shadow_cir, active_pir, shadow_pir;
};

// What a policy that is only evaluated has shown so far. Bytes.
struct ShadowReport {
  std::string name;  // empty: none is running
  UnixNanos since;
  std::uint64_t cycles = 0;
  std::uint64_t offered = 0;
  std::uint64_t active_unserved = 0;
  std::uint64_t shadow_unserved = 0;
  std::uint64_t failures = 0;       // rounds that it made impossible
  std::vector<ShadowLimit> limits;  // those that would be others
};

// Thread safety: all members from any thread.
class AuditOperations {
 public:
  virtual ~AuditOperations() = default;
  // What held at `time`; 0 is now. kNotFound.
  virtual Result<Explanation> explain(const std::string& vm, UnixNanos time) const = 0;
  // Is the chain whole; with `replay` also: do the rounds of the range come out the same?
  virtual Result<audit::Report> check_audit(bool replay, const audit::Range& range) const = 0;
  // Evaluates a policy beside the one in force from now on; refused like one that shall be applied.
  virtual Status start_shadow(const policy::Proposal& proposal) = 0;
  virtual void stop_shadow() = 0;
  virtual ShadowReport shadow() const = 0;
};

}  // namespace foreflow::api
