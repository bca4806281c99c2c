// SPDX-License-Identifier: Apache-2.0
// What the audit keeps of one cycle: of each uplink and direction, and of the CPU and memory of each host, the whole
// round, and a digest of what came of it.
// Place: host/audit. The round alone decides, so solving it again gives the outcomes again.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/units.h"
#include "host/allocate/round.h"
#include "host/model/guest.h"

namespace foreflow::audit {

using Digest = std::array<std::uint8_t, 16>;  // of the outcomes of a round: the first half of their SHA-256

// What is known of a member beside the integers that decide.
struct Note {
  std::string model;      // that made the forecast; empty: there was none
  bool enforced = false;  // its limit went to the device
  bool operator==(const Note&) const = default;
};

// What a round shares.
enum class Subject : std::uint8_t { kEgress = 0, kIngress = 1, kCpu = 2, kMemory = 3 };
inline constexpr std::uint64_t kSubjects = 4;
constexpr Subject subject_of(Direction direction) { return static_cast<Subject>(index(direction)); }
constexpr Subject subject_of(model::GuestResource resource) {
  return resource == model::GuestResource::kCpu ? Subject::kCpu : Subject::kMemory;
}
constexpr bool is_of_guests(Subject subject) { return subject >= Subject::kCpu; }
std::string_view to_string(Subject subject);  // "egress", "ingress", "CPU", "memory"
// How its amounts are written: rates, CPUs of microseconds per second, bytes.
allocate::AmountText text_of(Subject subject);

struct Entry {
  std::string device;  // a dataplane, or a host
  Subject subject = Subject::kEgress;
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
