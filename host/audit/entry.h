// SPDX-License-Identifier: Apache-2.0
// What the audit keeps of one cycle: for each uplink and direction the whole round, and a digest of what came of it.
// Place: host/audit. The round alone decides, so solving it again gives the outcomes again.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/units.h"
#include "host/allocate/round.h"

namespace foreflow::audit {

using Digest = std::array<std::uint8_t, 16>;  // of the outcomes of a round: the first half of their SHA-256

// What is known of a member beside the integers that decide.
struct Note {
  std::string model;      // that made the forecast; empty: there was none
  bool enforced = false;  // its limit went to the device
  bool operator==(const Note&) const = default;
};

struct Entry {
  std::string dataplane;
  Direction direction = Direction::kEgress;
  allocate::Round round;
  std::vector<Note> notes;  // one per member
  Digest digest{};
};

struct Record {
  UnixNanos time;
  std::uint64_t policy_version = 0;
  std::vector<Entry> entries;
};

Digest digest_of(const std::vector<allocate::Outcome>& outcomes);

}  // namespace foreflow::audit
