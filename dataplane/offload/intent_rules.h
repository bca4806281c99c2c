// SPDX-License-Identifier: Apache-2.0
// What the rules of an intent match and do, before a device is asked.
// Place: dataplane/offload, used by RteFlowBackend. Pure functions.
#pragma once
#include <string>
#include <vector>

#include "common/result.h"
#include "dataplane/offload/intent.h"
#include "dataplane/offload/transfer_domain.h"

namespace foreflow::offload {

// The group that the intent's rules stand in.
std::uint32_t group_of(const ResolvedIntent& intent);

// The matches through which all packets pass that the intent speaks of, sorted.
std::vector<RuleMatch> matches_of(const ResolvedIntent& intent);

// Of a treatment: what its rule for `match` does.
RuleActions actions_of(const ResolvedIntent& intent, const RuleMatch& match);

// A treatment that lets nothing pass.
bool drops_all(const ResolvedIntent& intent);
// A treatment that leads packets to a port or to queues, of a port or of the uplink's classes: the device finds them,
// the pipeline leads them.
bool steers(const ResolvedIntent& intent);
std::uint32_t idle_seconds_of(const ResolvedIntent& intent);  // 0 = it has no age

// Could rules say it? The error is the reason why not.
Status check_expressible(const ResolvedIntent& intent);

std::string describe(const RuleMatch& match);
std::string describe(const RuleActions& actions);

}  // namespace foreflow::offload
