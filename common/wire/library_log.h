// SPDX-License-Identifier: Apache-2.0
// The log lines of gRPC and protobuf as lines of ours, bounded in rate: a peer that fails a thousand handshakes a
// second must not fill the disk. Place: common/wire; called once by whoever opens a channel or a server.
#pragma once

namespace foreflow::wire {

// Idempotent, from any thread; takes effect for the whole process.
void route_library_logs();

}  // namespace foreflow::wire
