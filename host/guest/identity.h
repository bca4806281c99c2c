// SPDX-License-Identifier: Apache-2.0
// Which domain is which VM.
// Place: host/guest. Pure.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "host/guest/hypervisor.h"
#include "host/model/fleet.h"

namespace foreflow::guest {

struct Identified {
  std::vector<std::pair<const Domain*, const model::Vm*>> pairs;  // each VM and each domain at most once
  std::vector<std::string> unknown;                               // names of domains that are no VM
  std::vector<std::string> conflicts;                             // "web: also domain 'web-clone'"
};

// Among the VMs of this host: a VM with a UUID is the domain that has it, any other one the domain with the MAC of one
// of its attachments. Of several domains for one VM the first in order of UUIDs is taken. What is returned points into
// the arguments.
Identified identify(const model::Fleet& fleet, const std::string& host, const std::vector<Domain>& domains);

}  // namespace foreflow::guest
