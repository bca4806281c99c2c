// SPDX-License-Identifier: Apache-2.0
// In builds without libvirt.
#include <fmt/format.h>

#include "host/guest/hypervisor.h"

namespace foreflow::guest {

Result<std::unique_ptr<Hypervisor>> open_hypervisor(const std::string& uri, Access) {
  return fail(
      ErrorCode::kUnsupported,
      fmt::format("{}: this foreflowd was built without libvirt; build it where libvirt-dev is installed", uri));
}

}  // namespace foreflow::guest
