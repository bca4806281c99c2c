// SPDX-License-Identifier: Apache-2.0
// A host's hypervisor as the manager reads it: which domains run there and what they have used since their start.
// Place: host/guest. The real one is libvirt's (host/guest/libvirt), where the build has it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "common/units.h"
#include "host/model/guest.h"

namespace foreflow::guest {

// A running domain and its totals since it was started.
struct Domain {
  std::string uuid;  // "6b2d3f0e-...", lower case
  std::string name;
  int id = 0;  // another one after each start
  std::vector<MacAddress> macs;
  std::uint64_t cpu_ns = 0;
  std::optional<std::uint64_t> waited_ns;
  std::uint32_t vcpus = 0;
  std::uint32_t vcpus_maximum = 0;
  model::GuestMemory memory;
  model::DiskCounts disk;
};

struct Node {
  std::uint32_t cpus = 0;
  Bytes memory;
};

// A connection. Thread safety: none; a call may wait for the hypervisor, for at most some seconds when that is hung.
// Any kUnavailable means that the connection is of no more use.
class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  virtual Result<Node> node() = 0;
  virtual Result<std::vector<Domain>> domains() = 0;
};

// It can change nothing. kUnavailable: nobody answers there, and what to look at; kDenied; kUnsupported: this build
// knows no hypervisor.
Result<std::unique_ptr<Hypervisor>> open_hypervisor(const std::string& uri);

}  // namespace foreflow::guest
