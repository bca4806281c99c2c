// SPDX-License-Identifier: Apache-2.0
// What would a VM have got if one thing had been otherwise? The round is solved again with that one input changed.
// Place: host/audit, behind `foreflow explain`. Pure.
#pragma once
#include <string>
#include <vector>

#include "host/allocate/round.h"

namespace foreflow::audit {

struct Counterfactual {
  std::string change;         // "without its cap of 50 Mbit/s"
  allocate::Round round;      // with that change and no other
  allocate::Outcome outcome;  // what the VM has of it
};

// The questions that are worth asking about this VM's outcome; none for a VM that takes no part. A change that makes
// the round impossible is left out.
std::vector<Counterfactual> counterfactuals(const allocate::Round& round, VmId vm,
                                            allocate::AmountText text = format_rate);

}  // namespace foreflow::audit
