// SPDX-License-Identifier: Apache-2.0
// One version of the policy: who applied which text when.
// Place: host/policy; kept by host/app, shown through host/api.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "host/policy/check.h"

namespace foreflow::policy {

struct Version {
  std::uint64_t number = 0;  // 1 is the first
  UnixNanos time;
  std::string author;   // the name in the operator's certificate
  std::string comment;  // why, in the operator's words; what was set, for `policy set`
  std::string text;
  bool operator==(const Version&) const = default;
};

// A text that shall become the next version.
struct Proposal {
  std::string text;
  std::string name;  // of the file, for messages
  std::string author;
  std::string comment;
  bool dry_run = false;
};

struct Accepted {
  std::uint64_t version = 0;  // 0 for a dry run
  std::vector<Change> changes;
};

// kNotFound says which are kept.
Result<Version> find(const std::vector<Version>& versions, std::uint64_t number);

}  // namespace foreflow::policy
