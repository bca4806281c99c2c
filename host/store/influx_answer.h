// SPDX-License-Identifier: Apache-2.0
// What an answer to /write means for the points that were sent.
// Place: host/store. Pure; tests/unit/host/influx_answer_test.cc has a row for every known answer of InfluxDB 1.x.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace foreflow::store {

enum class Verdict : std::uint8_t {
  kStored,
  kPartlyStored,    // the good points are stored, the others never will be
  kRefused,         // none of these points can ever be stored
  kSplit,           // too large: send it in halves
  kCreateDatabase,  // the database is missing
  kHold,   // the server refuses everybody's points (credentials, rights, address, retention policy): the data is
           // kept and an operator has to act; asking again soon is no use
  kRetry,  // a passing failure
};

struct Answer {
  Verdict verdict = Verdict::kRetry;
  std::uint64_t rejected = 0;  // kPartlyStored: points that the server says it dropped, at least 1
  std::string reason;          // for log and health: one short line, empty when stored
};

Answer classify_answer(long status, std::string_view body);

// At most `kLongestReason` bytes without control characters: servers echo whole lines of 64 kB.
std::string short_reason(std::string_view text);
inline constexpr std::size_t kLongestReason = 200;

}  // namespace foreflow::store
