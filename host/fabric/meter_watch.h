// SPDX-License-Identifier: Apache-2.0
// Does a meter pass what was decided? Reports are compared with the limits in force.
// Place: host/fabric, inside the actuator of dataplanes. Pure but for its window. Thread safety: none.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/wire/messages.h"

namespace foreflow::fabric {

struct Deviation {
  VmId vm;
  Direction direction = Direction::kEgress;
  std::string text;  // "passed 64.0 Mbit/s in 5 s, decided were at most 50.0 Mbit/s"
};

// A meter that drops must pass its CIR (but for a cap in packets) and at most its PIR, once the burst is subtracted.
// More than 5 % beside that while it dropped in each of the last 5 reports is a deviation, told once until it is over.
class MeterWatch {
 public:
  // `limits`: those that the device has applied. A limit that changes begins a new window.
  std::vector<Deviation> observe(const std::vector<wire::Police>& limits, const wire::Report& report);

 private:
  struct Window {
    wire::Police limit;
    std::vector<std::pair<std::uint64_t, std::uint64_t>>
        passed;  // bytes and ns of reports in a row in which it dropped
    bool told = false;
  };
  static std::string judge(const Window& window);

  std::map<std::pair<VmId, Direction>, Window> windows_;
};

}  // namespace foreflow::fabric
