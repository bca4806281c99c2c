// SPDX-License-Identifier: Apache-2.0
// What libvirt says of a domain, as fields of Domain: the names of its bulk statistics and its XML.
// Place: host/guest. Pure, and free of libvirt's headers. Source: virConnectGetAllDomainStats, libvirt-domain.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "host/guest/hypervisor.h"

namespace foreflow::guest {

// Collects the statistics of one domain, in any order; names that mean nothing here are ignored. Sums over vCPUs and
// disks do not overflow.
class DomainStats {
 public:
  void put(std::string_view name, std::uint64_t value);
  // Fills in all but id, name, uuid and MACs. Memory in use is told only by a balloon driver that is alive: by one that
  // has been asked at least once.
  void fill(Domain& domain) const;
  bool has_cpu() const { return has_cpu_; }

 private:
  void put_vcpu(std::string_view quantity, std::uint64_t value);
  void put_block(std::string_view quantity, std::uint64_t value);

  Domain domain_;
  bool has_cpu_ = false;
  std::map<std::string, std::uint64_t, std::less<>> balloon_;  // bytes, but "last-update"
};

// The MAC addresses of its interfaces. kMalformed: not the XML of a domain.
Result<std::vector<MacAddress>> macs_of(const std::string& xml);

}  // namespace foreflow::guest
