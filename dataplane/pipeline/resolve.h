// SPDX-License-Identifier: Apache-2.0
// From the manager's words to the device's: names of ports and VMs become ethdev ids and addresses.
// Place: dataplane/pipeline. Pure functions.
#pragma once
#include <span>

#include "common/wire/messages.h"
#include "dataplane/offload/intent.h"
#include "dataplane/port/port.h"

namespace foreflow::pipeline {

// What leaves by it waits in queues: it has some, and it is known how fast it sends.
bool has_queues(const wire::UplinkSpec& uplink);

// An intent for a VM or port that is unknown keeps an empty list of attachments; the backend refuses it with the
// reason.
offload::IntentSet resolve_intents(const wire::DesiredState& desired, std::span<const port::Port> ports);

}  // namespace foreflow::pipeline
