// SPDX-License-Identifier: Apache-2.0
// libvirt's event loop: without one a connection has no keepalive, and a call to a hung daemon never ends.
// Place: host/guest/libvirt. libvirt has one loop per process.
#pragma once
#include "common/result.h"

namespace foreflow::guest {

// Starts it, once; it ends with the process. Before the first connection is opened. Thread safe.
Status ensure_event_loop();

}  // namespace foreflow::guest
