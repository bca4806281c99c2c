// SPDX-License-Identifier: Apache-2.0
// May one packet be meant by two matches?
// Place: common/wire; shared by who checks a policy and who enforces it.
#pragma once
#include <algorithm>

#include "common/wire/intents.h"
#include "common/wire/ipv4_number.h"

namespace foreflow::wire {

inline bool prefixes_meet(const TrafficMatch& a, const TrafficMatch& b) {
  const auto shared = std::min(a.remote_prefix, b.remote_prefix);
  return shared == 0 || ((number_of(a.remote) ^ number_of(b.remote)) >> (32 - shared)) == 0;
}

inline bool may_overlap(const TrafficMatch& a, const TrafficMatch& b) {
  // Two wishes for one field; its default value means any.
  const auto agree = []<typename T>(const T& one, const T& other) {
    return one == T{} || other == T{} || one == other;
  };
  return agree(a.ip_protocol, b.ip_protocol) && agree(a.local_port, b.local_port) &&
         agree(a.remote_port, b.remote_port) && agree(a.category, b.category) && prefixes_meet(a, b);
}

}  // namespace foreflow::wire
