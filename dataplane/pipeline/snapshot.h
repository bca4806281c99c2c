// SPDX-License-Identifier: Apache-2.0
// The configuration of the packet path: an immutable value, built by a pure function and replaced as a whole.
// Place: dataplane/pipeline. Any worker reads it between two quiescent states. Bucket levels, flows and counters are
// not here, so that a new configuration never resets them.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/handover.h"
#include "dataplane/pipeline/shared_limits.h"
#include "dataplane/pipeline/treatments.h"
#include "dataplane/pipeline/tunnels.h"
#include "dataplane/port/port.h"
#include "dataplane/vm/directory.h"
#include "dataplane/vm/slots.h"

namespace foreflow::pipeline {

// A compiled database with one scratch space per worker; worker w touches inspectors[w] only.
struct Signatures {
  std::unique_ptr<const classify::Classifier> classifier;
  std::vector<classify::Inspector> inspectors;
};
// `cache`: where compiled patterns are kept, see Classifier::load().
Result<std::shared_ptr<Signatures>> load_signatures(const std::filesystem::path& directory,
                                                    const std::filesystem::path& cache, std::uint16_t workers);

struct VmEntry {
  VmId id;
  bool present = false;
  bool allow_foreign_mac = false;
  std::uint16_t owner = 0;
  std::uint8_t uplink = kNoUplink;  // where its traffic to strangers goes
  GroupSlot group = kNoGroup;
  std::array<bool, kDirections> is_metered{};  // has one of `limits`
  // What the pipeline meters; empty = no limit, or the device meters it.
  std::array<std::optional<meter::TwoRate>, kDirections> limits;
  std::array<std::uint32_t, kDirections> weights{1, 1};  // of borrowing
  std::array<bool, kDirections> shaped{};                // where there is a limit: what is over it waits
  std::array<std::shared_ptr<const TreatmentList>, kDirections> treatments;  // null: none
  std::vector<wire::Bypass> bypasses;                                        // long flows that may leave the pipeline
  bool is_marked = false;                                                    // by the device, for steering
  offload::CategorySet treated;                                              // applications that may not leave it
};

struct PortEntry {
  std::uint8_t uplink = kNoUplink;        // its index when it is one
  std::uint32_t largest_frame = 0;        // 0 = not a port of ours
  std::uint16_t attachments = 0;          // on a VM port
  std::uint16_t sole_slot = vm::kNoSlot;  // the only VM on it
  Segment segment;                        // of the first attachment
};

// Everyone who receives a broadcast of a segment: one attachment per port.
struct FloodList {
  Segment segment;
  std::vector<vm::Attachment> receivers;
};

struct Snapshot {
  std::uint64_t serial = 0;  // grows with each publication; an address may come back
  Generation generation;
  vm::Directory directory;
  std::vector<VmEntry> vms;                    // by slot
  std::vector<port::Port> devices;             // what workers poll and send to
  std::vector<PortEntry> ports;                // by ethdev id
  std::vector<FloodList> floods;               // by Attachment::flood_list; ordered by segment
  std::vector<std::uint16_t> uplinks;          // ethdev ids
  std::vector<std::optional<Tunnel>> tunnels;  // by uplink; empty: none has one
  std::shared_ptr<Signatures> signatures;      // may be null
  std::uint32_t fits_everywhere = 0;           // the largest frame, untagged, that every port takes
  bool treats = false;                         // some VM has treatments
  bool steers = false;                         // the device marks where some VM's packets are to be led
  bool bypasses = false;                       // some VM's flows may go to the device
  std::uint32_t queued_uplinks = 0;            // where what leaves waits for its turn, one bit each

  bool queues(std::uint8_t uplink) const noexcept { return (queued_uplinks >> uplink & 1) != 0; }

  const VmEntry* vm(vm::Slot slot) const noexcept {
    return slot < vms.size() && vms[slot].present ? &vms[slot] : nullptr;
  }
  const Tunnel* tunnel(std::uint8_t uplink) const noexcept {
    return uplink < tunnels.size() && tunnels[uplink] ? &*tunnels[uplink] : nullptr;
  }
  bool has_port(std::uint16_t port_id) const noexcept { return largest_frame(port_id) != 0; }
  // 0: no port of ours.
  std::uint32_t largest_frame(std::uint16_t port_id) const noexcept {
    return port_id < ports.size() ? ports[port_id].largest_frame : 0;
  }
  const FloodList* flood(Segment segment) const noexcept;
};

struct SnapshotInput {
  const wire::DesiredState& desired;
  std::span<const port::Port> ports;
  std::span<const offload::SoftwareLimit> limits;
  const vm::SlotAllocator& slots;  // holds every VM of `desired` that has a slot
  std::uint16_t workers = 1;
  std::shared_ptr<Signatures> signatures;
  const std::map<std::string, GroupSlot>& groups;  // every group of `desired`, by name
  std::span<const offload::SoftwareTreatment> treatments = {};
  const offload::Enforcer::Bypasses* bypasses = nullptr;
  std::uint32_t queued_uplinks = 0;
  std::set<VmId> marked = {};  // VMs some of whose packets the device marks for steering
};

// What cannot be done (unknown port, MAC given twice, a VNI without a tunnel) is left out and named in `problems`.
std::unique_ptr<Snapshot> build_snapshot(const SnapshotInput& input, std::vector<std::string>& problems);

// The worker that owns a slot, for the life of the process.
constexpr std::uint16_t owner_of(vm::Slot slot, std::uint16_t workers) {
  return static_cast<std::uint16_t>(slot % workers);
}

}  // namespace foreflow::pipeline
