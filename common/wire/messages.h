// SPDX-License-Identifier: Apache-2.0
// What dataplane and manager say to each other, as plain structs; `foreflow.proto` is their form on the wire.
// Place: common/wire; the only meeting point of dataplane/ and host/.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/category.h"
#include "common/ids.h"
#include "common/units.h"
#include "common/wire/intents.h"

namespace foreflow::wire {

// ---- dataplane -> manager -------------------------------------------------------------------------------------------

// Why a packet was not passed on. Order is part of the wire format: append only.
enum class DropCause : std::uint8_t {
  kMalformed,  // headers do not parse
  kSpoof,      // source MAC is not the VM's
  kPoliced,    // over the limit
  kUnknownVm,  // unicast from the uplink to no VM of ours
  kHandover,   // ring to the owner was full
  kPortFull,   // the uplink took no more packets
  kNoBuffer,   // no mbuf for a copy, or no room for a header
  kOversize,   // larger than the MTU of the port that it came from
  kGuestFull,  // the receiving guest does not read
  kMtu,        // fits where it came from, but not where it has to leave
  kOffload,    // the guest left work to the device that nobody here can do
  kFiltered,   // a rule of the operator drops it
  kQueueFull,  // no room in its queue of the uplink
};
inline constexpr std::size_t kDropCauses = 13;
inline constexpr std::array<std::string_view, kDropCauses> kDropCauseNames{
    "malformed", "spoof",      "policed", "unknown_vm", "handover", "port_full", "no_buffer",
    "oversize",  "guest_full", "mtu",     "offload",    "filtered", "queue_full"};
constexpr std::size_t index(DropCause cause) { return static_cast<std::size_t>(cause); }

// Frames by size in bytes without FCS: at most 64, 128, 256, 512, 1024, 2048, and larger.
inline constexpr std::size_t kSizeClasses = 7;
inline constexpr std::array<std::string_view, kSizeClasses> kSizeClassNames{"64",   "128",  "256",  "512",
                                                                            "1024", "2048", "jumbo"};

// One VM, one direction, one report interval. All are deltas. Offered = arrived for the VM or from it, counted before
// the meter wherever the meter is (software or hardware); passed = forwarded; offered - passed = sum of drops.
struct DirectionSample {
  std::uint64_t offered_packets = 0;
  std::uint64_t offered_bytes = 0;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::array<std::uint64_t, kDropCauses> drops{};    // packets
  std::optional<std::uint64_t> peak_10ms_bytes = 0;  // largest offered bytes in any 10 ms; nullopt = not observable
  bool limited = false;  // the meter or the uplink's queue dropped or delayed: offered is a lower bound
  std::array<std::uint64_t, kCategories> app_bytes{};  // passed bytes by category
  std::optional<std::uint64_t> peak_1ms_bytes = 0;     // as peak_10ms_bytes
  std::array<std::uint64_t, kSizeClasses> sizes{};     // offered packets that the pipeline saw, by size
  std::uint64_t delayed_packets = 0;                   // held back by shaping and then passed
  std::uint64_t marked_packets = 0;                    // of those, with congestion experienced (ECN)
  bool operator==(const DirectionSample&) const = default;
};

struct VmSample {
  VmId vm;
  std::array<DirectionSample, kDirections> directions;
  std::uint32_t connections_opened = 0;
  std::uint32_t connections_active = 0;
  std::uint32_t connections_closed = 0;  // by FIN or RST after they were established, or silent for long
  std::uint32_t connections_failed = 0;  // refused, or never answered
  std::uint64_t untracked_packets = 0;   // the flow table or the VM's part of it was full
  bool operator==(const VmSample&) const = default;
};

// A tracked flow, for people to look at; not stored.
struct FlowSample {
  VmId vm;
  std::string local;  // "10.0.0.1:443", "[2001:db8::1]:53", the VM's end
  std::string remote;
  std::string transport;  // "tcp", "udp", "icmp", "proto-47"
  std::string protocol;   // "tls", "redis", ... or "unknown"
  Category category = Category::kUnknown;
  std::string app;                                 // service by name (SNI, Host) where recognised, else empty
  std::uint8_t confidence = 0;                     // percent
  std::array<std::uint64_t, kDirections> bytes{};  // since the flow began
  std::uint32_t age_seconds = 0;
  std::string source{};       // what the verdict rests on: "payload", "name", "port", ...
  std::string behaviour{};    // what its packets look like, where no payload said more; "-" = nothing was said
  std::string fingerprint{};  // of its TLS client, where one was made, else empty
  bool encrypted_hello = false;
  bool operator==(const FlowSample&) const = default;
};

enum class Placement : std::uint8_t { kHardware, kSoftware, kRefused };
constexpr std::string_view to_string(Placement placement) {
  return placement == Placement::kHardware ? "hw" : placement == Placement::kSoftware ? "sw" : "refused";
}

// Totals of an enforced intent since it was installed.
struct IntentStats {
  IntentId id;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::uint64_t dropped_packets = 0;
  std::uint64_t dropped_bytes = 0;
  bool idle = false;  // a rule with an age: nothing matched for that long
  bool operator==(const IntentStats&) const = default;
};

// The dataplane as a whole, deltas per interval.
// rx_packets = consumed from ports; rx + flood_copies = tx + sum(drops) holds over the life of the process.
struct DataplaneSample {
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t flood_copies = 0;
  std::array<std::uint64_t, kDropCauses> drops{};
  std::uint64_t spool_dropped_reports = 0;  // reports lost because the spool was full
  // What classification did without, the pool or a VM's quota being exhausted.
  std::uint64_t payloads_without_state = 0;
  std::uint64_t flows_without_buffer = 0;
  bool operator==(const DataplaneSample&) const = default;
};

// One queue of an uplink (Queueing), deltas per interval.
struct QueueSample {
  std::uint8_t queue = 0;
  std::uint64_t passed_packets = 0;
  std::uint64_t passed_bytes = 0;
  std::uint64_t dropped_packets = 0;  // that found no room
  std::uint64_t dropped_bytes = 0;
  std::uint64_t waited_ns = 0;        // of all that passed, together
  std::uint64_t longest_ns = 0;       // that one of them waited
  std::uint64_t waiting_packets = 0;  // at the end of the interval
  bool operator==(const QueueSample&) const = default;
};

// One port, deltas per interval, counted where bursts are received and transmitted. Of a VM's port, rx = what its VMs
// offered + unattributed.
struct PortSample {
  std::string port;
  std::uint64_t rx_packets = 0;
  std::uint64_t rx_bytes = 0;
  std::uint64_t tx_packets = 0;
  std::uint64_t tx_bytes = 0;
  std::uint64_t full_packets = 0;          // that the port did not take
  std::uint64_t unattributed_packets = 0;  // received, but from no VM that is known
  std::vector<QueueSample> queues;         // of an uplink: those where something happened, each at most once
  bool operator==(const PortSample&) const = default;
};

struct Report {
  std::uint64_t sequence = 0;  // 1, 2, ... within one boot id, no gaps
  UnixNanos time;              // end of the interval, the dataplane's clock (or capture time)
  std::uint64_t interval_ns = 0;
  DataplaneSample dataplane;
  std::vector<VmSample> vms;
  std::vector<FlowSample> top_flows;  // at most kMostFlows, the largest by bytes of this interval
  std::vector<IntentStats> intents;
  std::vector<PortSample> ports;
  bool operator==(const Report&) const = default;
};
inline constexpr std::size_t kMostFlows = 64;

// A report as it is spooled and sent (compress.h). The boot id is that of the process that made it: a restarted
// dataplane delivers what its former life could not.
struct CompressedReport {
  std::uint64_t boot_id = 0;
  std::uint64_t sequence = 0;
  std::uint32_t raw_size = 0;  // of the serialised report before compression
  std::string zstd;
  bool operator==(const CompressedReport&) const = default;
};

struct PortInfo {
  std::string name;
  std::string driver;
  MacAddress mac;
  bool uplink = false;
  bool up = false;
  bool operator==(const PortInfo&) const = default;
};

// What lending the device's meters can do; the manager uses hard mode where there is none.
enum class Lending : std::uint8_t { kNone, kSoftware, kHardware };

struct Capabilities {
  Lending lending = Lending::kNone;
  bool hardware_meters = false;
  std::string backend;  // "rte_flow on net_af_packet (emulated eSwitch)", for people
  bool operator==(const Capabilities&) const = default;
};

struct Hello {
  std::string dataplane;
  std::string version;
  std::uint64_t boot_id = 0;  // new with each start of the process
  Generation applied;
  Capabilities capabilities;
  std::vector<PortInfo> ports;
  bool operator==(const Hello&) const = default;
};

struct IntentResult {
  IntentId id;
  Placement placement = Placement::kRefused;
  std::string reason;  // why not where it was asked for; empty when as asked
  BytesPerSecond achieved_cir;
  BytesPerSecond achieved_pir;
  bool operator==(const IntentResult&) const = default;
};

struct Applied {
  Generation generation;
  std::vector<IntentResult> results;
  bool operator==(const Applied&) const = default;
};

struct Event {
  UnixNanos time;
  std::string kind;  // "port_down", "signature_reload_failed", ...
  std::string text;
  bool operator==(const Event&) const = default;
};

// ---- manager -> dataplane -------------------------------------------------------------------------------------------

struct Attachment {
  std::string port;
  MacAddress mac;
  Segment segment;
  auto operator<=>(const Attachment&) const = default;
};

struct VmSpec {
  VmId id;
  std::string name;
  std::vector<Attachment> attachments;
  bool allow_foreign_mac = false;
  std::string group;  // name of a GroupSpec; empty = none
  bool operator==(const VmSpec&) const = default;
};

// How networks with a VNI cross an uplink: inside UDP, as VXLAN (RFC 7348) or Geneve (RFC 8926).
enum class TunnelKind : std::uint8_t { kVxlan, kGeneve };
inline constexpr std::size_t kTunnelKinds = 2;
struct TunnelSpec {
  TunnelKind kind = TunnelKind::kVxlan;
  Ipv4Address local;                 // this dataplane's end
  MacAddress next_hop;               // of the underlay
  std::uint16_t udp_port = 4789;     // 6081 is Geneve's
  std::vector<Ipv4Address> remotes;  // other ends; a frame to an unknown MAC or to many goes to all of them
  bool operator==(const TunnelSpec&) const = default;
};

struct UplinkSpec {
  std::string port;
  std::array<BytesPerSecond, kDirections> capacity{kUnlimited, kUnlimited};
  std::optional<TunnelSpec> tunnel;  // none: attachments with a VNI cannot be reached
  std::optional<Queueing> queueing;  // of what leaves, where the egress capacity is known; none: nothing waits
  bool operator==(const UplinkSpec&) const = default;
};

// A tenant: its VMs share a cap. What they are guaranteed passes even when the cap is used up.
struct GroupSpec {
  std::string name;
  std::array<BytesPerSecond, kDirections> cap{kUnlimited, kUnlimited};
  std::array<Bytes, kDirections> burst;
  bool operator==(const GroupSpec&) const = default;
};

// The whole wish, never a difference; the dataplane computes desired - applied itself.
struct DesiredState {
  Generation generation;
  std::vector<UplinkSpec> uplinks;
  std::vector<VmSpec> vms;
  std::vector<Intent> intents;
  std::vector<GroupSpec> groups;
  std::string signature_set;             // name of a set installed on the dataplane; empty = its default
  std::uint64_t signature_revision = 0;  // another number than before: its files shall be read again
  bool operator==(const DesiredState&) const = default;
};

struct Ack {
  std::uint64_t boot_id = 0;
  std::uint64_t sequence = 0;  // everything up to and including this is stored
  bool operator==(const Ack&) const = default;
};

// The manager has accepted Hello.
struct Welcome {
  std::string version;
  bool operator==(const Welcome&) const = default;
};

using FromDataplane = std::variant<Hello, CompressedReport, Applied, Event>;
using ToDataplane = std::variant<DesiredState, Ack, Welcome>;

}  // namespace foreflow::wire
