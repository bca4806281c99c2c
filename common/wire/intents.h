// SPDX-License-Identifier: Apache-2.0
// What the manager asks a dataplane to enforce: limits, and rules for a part of a VM's traffic.
// Place: common/wire, part of messages.h.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/category.h"
#include "common/ids.h"
#include "common/units.h"
#include "common/wire/queueing.h"

namespace foreflow::wire {

// Two-rate limit of one VM and direction (RFC 2698 colours; borrowing as in docs/ARCHITECTURE.md).
struct Police {
  VmId vm;
  Direction direction = Direction::kEgress;
  BytesPerSecond cir;  // always passes
  BytesPerSecond pir;  // >= cir; between the two passes while the uplink has unused capacity
  Bytes cbs;
  Bytes pbs;
  std::uint32_t weight = 1;              // of borrowing
  std::uint64_t packets_per_second = 0;  // a cap beside pir; 0 = none
  std::uint64_t packet_burst = 0;
  bool shape = false;  // what is over the limit waits for a short while instead of being dropped
  bool operator==(const Police&) const = default;
};

// Isolated groups of transmit queues that a port can have, beside its common queues.
inline constexpr std::uint32_t kMostQueueGroups = 3;

// What packets of a VM and direction have to agree with, in everything that is given.
struct TrafficMatch {
  std::uint8_t ip_protocol = 0;      // 0 = any, also what is not IP
  std::uint16_t local_port = 0;      // the VM's end; 0 = any. Ports only beside TCP or UDP; fragments have none
  std::uint16_t remote_port = 0;     // 0 = any
  Ipv4Address remote;                // the other end
  std::uint8_t remote_prefix = 0;    // leading bits of `remote` that count; 0 = any address, also IPv6
  std::optional<Category> category;  // of the flow as recognised so far
  bool operator==(const TrafficMatch&) const = default;
};

struct Mirror {
  std::string port;          // where copies leave
  std::uint32_t one_in = 1;  // of so many packets one is copied
  bool operator==(const Mirror&) const = default;
};

// What happens to matching packets before the VM's meter. Every treatment counts; one without a further wish does
// nothing else. Of a VM's treatments in one direction a packet gets the strongest that it matches: lowest priority
// number, then lowest id.
struct Treatment {
  VmId vm;
  Direction direction = Direction::kEgress;
  TrafficMatch match;
  bool drop = false;
  std::optional<std::uint8_t> dscp;  // written into IP packets; others are not matched then
  std::optional<Mirror> mirror;
  std::string steer_port;             // what passes leaves through this port, not where its address leads; empty = no
  std::uint8_t queue_group = 0;       // of the isolated transmit queues where what passes leaves; 0 = the common ones
  std::optional<std::uint8_t> queue;  // of the uplink's queues (Queueing), where what passes waits; none: the last
  std::uint32_t idle_seconds = 0;     // told when nothing matched for so long; 0 = never
  bool operator==(const Treatment&) const = default;
};
// "count", "drop", "mark_dscp+mirror": what it does, for people.
std::string kind_of(const Treatment& treatment);

// So far a dataplane counts the packets of a flow.
inline constexpr std::uint32_t kMostBypassPackets = 255;

// Long flows between a VM and the uplink leave the CPU: a device carries them behind the VM's meters.
struct Bypass {
  VmId vm;
  std::optional<Category> category;  // only flows recognised as this; none: all that are recognised, or given up on
  std::uint64_t least_bytes = 0;     // of both directions, before a flow is worth it
  std::uint32_t idle_seconds = 10;   // then it comes back; at least 1
  std::uint32_t least_packets = 0;   // beside least_bytes; at most kMostBypassPackets
  static constexpr Direction direction = Direction::kEgress;  // as seen from where it begins; it goes both ways
  bool operator==(const Bypass&) const = default;
};

enum class Demand : std::uint8_t { kRequireHardware, kPreferHardware, kSoftware };
constexpr std::string_view to_string(Demand demand) {
  return demand == Demand::kRequireHardware  ? "require_hw"
         : demand == Demand::kPreferHardware ? "prefer_hw"
                                             : "software";
}

// One thing to enforce.
struct Intent {
  IntentId id;
  std::uint32_t priority = 0;  // 0 wins
  Demand demand = Demand::kPreferHardware;
  std::variant<Police, Treatment, Bypass> what;
  bool operator==(const Intent&) const = default;
};
inline VmId vm_of(const Intent& intent) {
  return std::visit([](const auto& what) { return what.vm; }, intent.what);
}
inline Direction direction_of(const Intent& intent) {
  return std::visit([](const auto& what) { return what.direction; }, intent.what);
}
std::string kind_of(const Intent& intent);

}  // namespace foreflow::wire
