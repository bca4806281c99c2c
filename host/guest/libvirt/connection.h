// SPDX-License-Identifier: Apache-2.0
// An open connection of libvirt's with a keepalive, closed with its owner.
// Place: host/guest/libvirt.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include <libvirt/libvirt.h>

#include "common/result.h"

namespace foreflow::guest {

struct CloseConnection {
  void operator()(virConnectPtr connection) const { virConnectClose(connection); }
};
using Connection = std::unique_ptr<virConnect, CloseConnection>;

enum class Access : std::uint8_t { kRead, kControl };

Result<Connection> connect(const std::string& uri, Access access);

}  // namespace foreflow::guest
