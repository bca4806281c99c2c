// SPDX-License-Identifier: Apache-2.0
#include "host/guest/libvirt/connection.h"

#include <libvirt/virterror.h>

#include "host/guest/libvirt/event_loop.h"
#include "host/guest/libvirt/last_error.h"

namespace foreflow::guest {
namespace {

constexpr int kKeepaliveSeconds = 5;  // between two probes
constexpr unsigned kKeepaliveProbes = 3;

}  // namespace

Result<Connection> connect(const std::string& uri, Access access) {
  if (auto loop = ensure_event_loop(); !loop) return tl::unexpected(loop.error());
  Connection connection(access == Access::kRead ? virConnectOpenReadOnly(uri.c_str()) : virConnectOpen(uri.c_str()));
  if (!connection) return tl::unexpected(last_error(uri));
  // A driver inside this process has nothing to keep alive and says so.
  if (virConnectSetKeepAlive(connection.get(), kKeepaliveSeconds, kKeepaliveProbes) < 0) virResetLastError();
  return connection;
}

}  // namespace foreflow::guest
