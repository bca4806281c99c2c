// SPDX-License-Identifier: Apache-2.0
// What can be set at a running domain: its CPU time, its number of vCPUs, its balloon.
// Place: host/guest, beside Hypervisor, which only reads. The real one is libvirt's, where the build has it.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/units.h"

namespace foreflow::guest {

// CPU time per second of the clock, all vCPUs of a domain and its helpers together: 1,500,000 is one and a half CPUs.
struct CpuMicros {
  std::uint64_t value = 0;
  auto operator<=>(const CpuMicros&) const = default;
};
inline constexpr CpuMicros kOneCpu{1'000'000};
inline constexpr CpuMicros kLeastCpu{10'000};  // what the kernel takes for a quota is no less: 1 ms in 100

// In force at a domain.
struct Limits {
  std::optional<CpuMicros> cpu;  // nullopt: as much as its vCPUs can use
  bool limits_cpu = true;        // false: this hypervisor knows no quota
  std::uint32_t vcpus = 0;
  std::uint32_t vcpus_maximum = 0;
  Bytes memory;  // what the balloon leaves it; moves towards what was set while the guest complies
  Bytes memory_maximum;
};

// A connection that may change domains. What is set holds until the domain is stopped; its definition stays as it is.
// Thread safety: none; a call may wait for the hypervisor, for at most some seconds when that is hung.
// Errors: kNotFound: no such domain, or it does not run; kInvalidArgument: the value is none for this domain, with what
// would be; kUnsupported: this hypervisor cannot do it; kDenied; kUnavailable: the connection is of no more use.
class Control {
 public:
  virtual ~Control() = default;
  virtual Result<Limits> limits(const std::string& uuid) = 0;
  virtual Status limit_cpu(const std::string& uuid, std::optional<CpuMicros> most) = 0;  // rounded up to 10 us/s
  virtual Status set_vcpus(const std::string& uuid, std::uint32_t count) = 0;
  virtual Status set_memory(const std::string& uuid, Bytes memory) = 0;  // rounded up to 1 KiB
};

// Errors: those of open_hypervisor().
Result<std::unique_ptr<Control>> open_control(const std::string& uri);

}  // namespace foreflow::guest
