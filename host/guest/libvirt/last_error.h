// SPDX-License-Identifier: Apache-2.0
// What libvirt says went wrong in this thread's newest call, as an Error.
// Place: host/guest/libvirt.
#pragma once
#include <string>

#include "common/result.h"

namespace foreflow::guest {

// "qemu:///system: Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or directory". Codes: kDenied,
// kNotFound (no such domain), kUnsupported, kInvalidArgument (the domain refuses the value), else kUnavailable.
Error last_error(const std::string& subject);

}  // namespace foreflow::guest
