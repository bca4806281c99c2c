// SPDX-License-Identifier: Apache-2.0
// From totals to what happened between two readings.
// Place: host/guest. Pure: time comes in. Thread safety: none.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/units.h"
#include "host/guest/hypervisor.h"
#include "host/model/guest.h"

namespace foreflow::guest {

class Sampler {
 public:
  // What the domain did since it was last seen. nullopt at first sight, after it was started again (another id, or a
  // total that went down: counted) and when the clock has not moved: the next reading is compared with this one. A
  // domain that was not seen for a while is compared with when it was. A balloon driver that has not spoken for
  // kSilenceNs is taken for dead: what it said last of memory in use is left out.
  std::optional<model::GuestSample> observe(const Domain& domain, VmId vm, UnixNanos now);

  static constexpr std::int64_t kSilenceNs = 60 * static_cast<std::int64_t>(kNanosPerSecond);

  // Forgets domains that are not among these.
  void retain(const std::vector<Domain>& domains);

  std::uint64_t resets() const { return resets_; }

 private:
  struct Seen {
    Domain domain;
    UnixNanos time;
    UnixNanos heard;  // when its balloon driver was found to have spoken
  };
  std::map<std::string, Seen> seen_;  // by UUID
  std::uint64_t resets_ = 0;
};

}  // namespace foreflow::guest
