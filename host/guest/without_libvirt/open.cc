// SPDX-License-Identifier: Apache-2.0
// In builds without libvirt.
#include <fmt/format.h>

#include "host/guest/control.h"
#include "host/guest/hypervisor.h"

namespace foreflow::guest {

namespace {

tl::unexpected<Error> without_libvirt(const std::string& uri) {
  return fail(
      ErrorCode::kUnsupported,
      fmt::format("{}: this foreflowd was built without libvirt; build it where libvirt-dev is installed", uri));
}

}  // namespace

Result<std::unique_ptr<Hypervisor>> open_hypervisor(const std::string& uri) { return without_libvirt(uri); }
Result<std::unique_ptr<Control>> open_control(const std::string& uri) { return without_libvirt(uri); }

}  // namespace foreflow::guest
