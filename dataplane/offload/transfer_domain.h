// SPDX-License-Identifier: Apache-2.0
// The rules and meters of one eSwitch, managed through its transfer proxy port: public rte_flow and rte_mtr calls with
// their refusals as Error (operation, port, the driver's message, errno).
// Place: dataplane/offload, below RteFlowBackend. Thread safety: control thread only.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/ids.h"
#include "common/meter/two_rate.h"
#include "common/result.h"

struct rte_flow;
struct rte_flow_action;

namespace foreflow::offload {

// What the headers above Ethernet have to say. All zero: anything, also what is not IP.
struct HeaderMatch {
  std::uint8_t ip_version = 0;            // 4 or 6; needed by everything below
  std::uint8_t protocol = 0;              // behind extension headers; 0 = any
  std::array<std::uint8_t, 16> source{};  // IPv4 in the first four octets
  std::array<std::uint8_t, 16> destination{};
  std::uint8_t source_prefix = 0;  // leading bits that count
  std::uint8_t destination_prefix = 0;
  std::uint16_t source_port = 0;  // of TCP or UDP, in whole datagrams only; 0 = any
  std::uint16_t destination_port = 0;
  bool within_connection = false;  // TCP: neither SYN nor FIN nor RST
  auto operator<=>(const HeaderMatch&) const = default;
};

// Where a packet comes from, and optionally whose it is. A tagged segment matches its VLAN; segment 0 matches tagged
// frames too (a VM must not evade its meter with a priority tag) and therefore needs a weaker priority.
struct RuleMatch {
  std::uint16_t port_id = 0;  // always: a device refuses drop-counting meters on rules for all ports
  std::optional<MacAddress> source;
  std::optional<MacAddress> destination;
  Segment segment;
  HeaderMatch headers;
  bool steered_away = false;  // a rule before has marked it so: kSteersAway
  auto operator<=>(const RuleMatch&) const = default;
};

// A part of the packet's metadata, in bits.
struct MetadataField {
  std::uint32_t offset = 0;
  std::uint32_t width = 0;
  std::uint16_t value = 0;
};

// What happens on the way, in this order.
struct RuleActions {
  bool count = false;
  std::uint32_t idle_seconds = 0;  // AGE; 0 = none
  std::optional<std::uint8_t> dscp;
  std::optional<MetadataField> metadata = std::nullopt;
  std::optional<std::uint16_t> mirror_port;
  std::uint32_t mirror_one_in = 1;
};

struct Rule {
  std::uint32_t group = 0;
  std::uint32_t priority = 0;  // 0 wins
  RuleMatch match;
  RuleActions actions = {};
  // Where packets end or go on; the first that is given.
  std::optional<std::uint32_t> meter = std::nullopt;  // its policy says where packets go on
  bool drop = false;
  std::optional<std::uint16_t> out_port = std::nullopt;  // leaves here, without the CPU
  std::uint32_t jump = 0;
};

struct Tally {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

// What RED packets suffer is fixed (dropped); the others go on in `next_group`.
struct MeterHandle {
  std::uint32_t id = 0;
  std::uint32_t profile = 0;
  std::uint32_t next_group = 0;
};

class TransferDomain {
 public:
  static constexpr std::uint32_t kMostMeters = 16'384;
  static constexpr std::uint32_t kMostGroups = 8;  // that a meter may lead to; the last one is that of trials

  explicit TransferDomain(std::uint16_t proxy) : proxy_(proxy) {}
  TransferDomain(const TransferDomain&) = delete;
  TransferDomain& operator=(const TransferDomain&) = delete;

  static Result<std::uint16_t> proxy_of(std::uint16_t port_id);
  std::uint16_t proxy() const { return proxy_; }

  // Two-rate byte meters with drop counters, as the device describes itself; what it can really do, probe finds out.
  Status check_capabilities();

  Result<rte_flow*> create(const Rule& rule);
  Status destroy(rte_flow* rule);
  Result<Tally> count(rte_flow* rule);
  // Of a rule with idle_seconds: nothing matched for so long.
  Result<bool> is_idle(rte_flow* rule);

  Result<MeterHandle> create_meter(const meter::TwoRate& limit, std::uint32_t next_group);
  // In place: rules stay, buckets keep their level.
  Status update_meter(MeterHandle& meter, const meter::TwoRate& limit);
  Status destroy_meter(const MeterHandle& meter);
  Result<Tally> drops(const MeterHandle& meter);

  // Is there such a thing in this device? Made and taken away again; nothing is metered by it.
  // A meter whose green and yellow packets go on to another, which goes by the colour that they have.
  Status try_hierarchy(const meter::TwoRate& limit);
  // A meter whose yellow packets get a DSCP on their way to `next_group`.
  Status try_marking(std::uint32_t next_group);

  // Removes every rule of the proxy port and every meter, profile and policy with an id of ours. What this
  // process has handles of must not be used again. Returns the number of meters.
  Result<std::size_t> flush();

 private:
  Status add_profile(std::uint32_t id, const meter::TwoRate& limit);
  Status add_meter(const MeterHandle& meter, bool colour_aware = false);
  Status add_policy(std::uint32_t next_group);
  Status add_policy(std::uint32_t id, const rte_flow_action* green, const rte_flow_action* yellow);
  Status try_member(const meter::TwoRate& limit);
  std::uint32_t take_meter_id();

  std::uint16_t proxy_;
  std::uint32_t next_meter_ = 1;
  std::vector<std::uint32_t> free_meters_;  // used before; ids stay low, so that flush() finds them
  std::set<std::uint32_t> policies_;        // a policy's id is its next group
};

}  // namespace foreflow::offload
