// SPDX-License-Identifier: Apache-2.0
// What may be promised on a link, and whether a problem's guarantees can be kept at all.
// Place: host/allocate; the first step of allocate(), and the policy check before a guarantee is accepted.
#pragma once
#include <string>

#include "common/result.h"
#include "host/allocate/allocate.h"

namespace foreflow::allocate {

// The most that the sum of CIR may reach; kUnlimited stays so.
BytesPerSecond promisable(const Link& link);

// "uplink0 egress", or "link 3" where it has no name.
std::string link_name(const Problem& problem, LinkIndex link);

// Errors as promised by allocate().
Status admit(const Problem& problem);

}  // namespace foreflow::allocate
