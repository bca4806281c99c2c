// SPDX-License-Identifier: Apache-2.0
// What hypervisors say of VMs: CPU, memory and disk. Seen from the host, without an agent inside the guest.
// Place: host/model; made by host/guest, stored, shown and planned with by the others.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/units.h"

namespace foreflow::model {

// Where a host's domains are read from.
struct Hypervisor {
  std::string host;  // that of its dataplanes
  std::string uri;   // of libvirt: "qemu:///system"
  std::uint64_t period_ns = 5 * kNanosPerSecond;
  bool operator==(const Hypervisor&) const = default;
};

// One disk or all of a VM's together; totals or differences.
struct DiskCounts {
  std::uint64_t read_bytes = 0;
  std::uint64_t read_requests = 0;
  std::uint64_t read_ns = 0;  // that requests took, one after another
  std::uint64_t write_bytes = 0;
  std::uint64_t write_requests = 0;
  std::uint64_t write_ns = 0;
  std::uint64_t flush_requests = 0;
  bool operator==(const DiskCounts&) const = default;
};

struct GuestMemory {
  Bytes current;              // what the balloon leaves it
  Bytes maximum;              // what it was made with
  std::optional<Bytes> used;  // of `current`, what it cannot give back; nullopt: its balloon driver does not say
  std::optional<Bytes> rss;   // of its process on the host
  std::uint64_t told_at = 0;  // when its balloon driver spoke last, by the host's clock in seconds; 0 = never
  bool operator==(const GuestMemory&) const = default;
};

// What one VM did between two readings.
struct GuestSample {
  VmId vm;
  UnixNanos time;  // of the later reading
  std::uint64_t interval_ns = 0;
  std::uint64_t cpu_ns = 0;                // CPU time of all its threads on the host
  std::optional<std::uint64_t> waited_ns;  // its vCPUs were ready and had no CPU ("steal"); nullopt: not told
  std::uint32_t vcpus = 0;                 // in use
  std::uint32_t vcpus_maximum = 0;
  GuestMemory memory;
  DiskCounts disk;
};

enum class GuestResource : std::uint8_t { kCpu = 0, kMemory = 1 };
inline const char* to_string(GuestResource resource) { return resource == GuestResource::kCpu ? "CPU" : "memory"; }

// What a VM's policy says of one of them: microseconds of CPU per second, or bytes.
struct GuestShare {
  std::uint64_t guarantee = 0;
  std::uint64_t cap = UINT64_MAX;  // beside what the domain was made with
  std::uint32_t weight = 1;
  bool operator==(const GuestShare&) const = default;
};

// What was decided of one of them.
struct GuestDecision {
  std::uint64_t want = 0;
  std::uint64_t limit = 0;
  std::string why;
  bool enforced = false;
  std::string error;  // why the hypervisor did not take it
};

struct GuestLive {
  std::string domain;  // its name at the hypervisor
  std::string uuid;
  GuestSample sample;  // the newest
  std::optional<GuestDecision> cpu;
  std::optional<GuestDecision> memory;
};

struct HypervisorLive {
  bool connected = false;
  std::string error;  // why the newest reading failed; empty once one succeeds
  UnixNanos last_read;
  std::uint64_t reads = 0;
  std::uint64_t failures = 0;
  std::uint64_t resets = 0;       // readings that began anew: a domain was started again
  std::uint64_t lost_points = 0;  // the store was away for too long
  std::uint64_t domains = 0;
  std::vector<std::string> unknown;    // domains that are no VM of the configuration
  std::vector<std::string> conflicts;  // VMs that more than one domain claims to be
  std::uint32_t cpus = 0;
  Bytes memory;
};

}  // namespace foreflow::model
