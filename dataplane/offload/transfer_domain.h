// SPDX-License-Identifier: Apache-2.0
// The rules and meters of one eSwitch, managed through its transfer proxy port: public rte_flow and rte_mtr calls with
// their refusals as Error (operation, port, the driver's message, errno).
// Place: dataplane/offload, below RteFlowBackend. Thread safety: control thread only.
#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "common/ids.h"
#include "common/meter/two_rate.h"
#include "common/result.h"

struct rte_flow;

namespace foreflow::offload {

// Where a packet comes from, and optionally whose it is. A tagged segment matches its VLAN; segment 0 matches tagged
// frames too (a VM must not evade its meter with a priority tag) and therefore needs a weaker priority.
struct RuleMatch {
  std::uint16_t port_id = 0;  // always: a device refuses drop-counting meters on rules for all ports
  std::optional<MacAddress> source;
  std::optional<MacAddress> destination;
  Segment segment;
  auto operator<=>(const RuleMatch&) const = default;
};

struct Rule {
  std::uint32_t group = 0;
  std::uint32_t priority = 0;  // 0 wins
  RuleMatch match;
  std::optional<std::uint32_t> meter;  // with COUNT; the meter's policy says where packets go on
  std::uint32_t jump = 0;              // without a meter
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
  static constexpr std::uint32_t kMostGroups = 8;  // that a meter may lead to

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

  Result<MeterHandle> create_meter(const meter::TwoRate& limit, std::uint32_t next_group);
  // In place: rules stay, buckets keep their level.
  Status update_meter(MeterHandle& meter, const meter::TwoRate& limit);
  Status destroy_meter(const MeterHandle& meter);
  Result<Tally> drops(const MeterHandle& meter);

  // Removes every rule of the proxy port and every meter, profile and policy with an id of ours. To be called before
  // anything of this process is installed. Returns the number of meters.
  Result<std::size_t> flush();

 private:
  Status add_profile(std::uint32_t id, const meter::TwoRate& limit);
  Status add_meter(const MeterHandle& meter);
  Status add_policy(std::uint32_t next_group);
  std::uint32_t take_meter_id();

  std::uint16_t proxy_;
  std::uint32_t next_meter_ = 1;
  std::vector<std::uint32_t> free_meters_;  // used before; ids stay low, so that flush() finds them
  std::set<std::uint32_t> policies_;        // a policy's id is its next group
};

}  // namespace foreflow::offload
