// SPDX-License-Identifier: Apache-2.0
// Hosts with one running domain each, as tests want them: 1 of 2 vCPUs, 128 MiB, a MAC of 52:54:00:00:00:01.
// Place: tests/contract/hypervisor.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "common/result.h"

namespace foreflow::test {

inline constexpr const char* kDomain = "6b2d3f0e-0b5e-4d0c-8f0e-3a1f5c7d9e21";

enum class HostKind : std::uint8_t {
  kTestDriver,  // libvirt's own, inside this process
  kQemu,        // a libvirtd started by the test; its domain has a firmware, no operating system
};
std::string name_of(HostKind kind);

class LibvirtHost {
 public:
  virtual ~LibvirtHost() = default;  // ends what was started
  virtual std::string uri() const = 0;
};

// kUnsupported: not possible here, and what is missing.
Result<std::unique_ptr<LibvirtHost>> start_host(HostKind kind);

}  // namespace foreflow::test
