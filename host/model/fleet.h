// SPDX-License-Identifier: Apache-2.0
// What the manager manages, as plain values: dataplanes with uplinks, VMs with attachments, tiers and policies.
// Place: host/model; every other part of host/ reads these and nothing here knows a part.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.h"
#include "common/units.h"
#include "common/wire/messages.h"
#include "host/model/bypass.h"
#include "host/model/guest.h"

namespace foreflow::model {

template <typename T>
using PerDirection = std::array<T, kDirections>;  // indexed by index(Direction)

// The quantiles that a tier may plan with: those that a forecast has.
inline constexpr std::array<double, 5> kPlanningQuantiles{.5, .9, .95, .99, .999};

inline constexpr std::uint32_t kLargestWeight = 1'000'000;

struct Tier {
  std::string name;
  std::uint8_t priority = 0;             // 0 is served first
  double quantile = .95;                 // of the forecast; one of kPlanningQuantiles
  std::uint32_t weight = 1;              // multiplies the weights of its VMs; at most kLargestWeight
  std::optional<std::uint64_t> hold_ns;  // a want falls only after so long; nullopt: as [allocation] says
  bool operator==(const Tier&) const = default;
};

inline constexpr std::uint32_t kMostPackets = 1'000'000'000;  // of a cap in packets per second

// A tenant: its VMs share a cap and a guarantee on each dataplane where it has some.
struct Group {
  std::string name;
  PerDirection<BytesPerSecond> guarantee{};  // for those of its VMs that want it, beside their own guarantees
  PerDirection<BytesPerSecond> cap{kUnlimited, kUnlimited};
  std::uint64_t burst_ns = 800'000'000;  // how much of the cap at once; as with a VM's cap it decides TCP throughput
  std::optional<Bypass> bypass;          // of its VMs, where these say nothing themselves
  bool operator==(const Group&) const = default;
};

// observe: forecasts only; recommend: allocations are computed and shown; enforce: they are pushed to the dataplanes.
enum class Mode : std::uint8_t { kObserve, kRecommend, kEnforce };
std::string_view to_string(Mode mode);

struct Policy {
  std::string tier;
  std::string group;                                          // empty = none
  PerDirection<BytesPerSecond> guarantee{};                   // always there when it is needed
  PerDirection<BytesPerSecond> cap{kUnlimited, kUnlimited};   // never exceeded
  PerDirection<std::uint32_t> weight{1, 1};                   // of sharing within the tier; at most kLargestWeight
  PerDirection<std::uint64_t> packets{0, 0};                  // cap in packets per second; 0 = none
  PerDirection<BytesPerSecond> least{};                       // it is planned for at least this much
  PerDirection<BytesPerSecond> most{kUnlimited, kUnlimited};  // and for no more than this much
  std::uint64_t burst_ns = 0;        // of the cap: what may come at once; 0 = as [allocation] says
  bool shape = false;                // what is over the limit waits for up to 20 ms instead of being dropped
  Mode mode = Mode::kEnforce;        // no more than the manager's own
  std::optional<Bypass> bypass;      // as its group says, or no bypass
  std::optional<GuestShare> cpu;     // set at its hypervisor; nullopt: left alone
  std::optional<GuestShare> memory;  // as above
  bool operator==(const Policy&) const = default;
};

// What one rule says about a VM's policy; the rest comes from elsewhere.
struct PolicyPatch {
  std::optional<std::string> tier;
  std::optional<std::string> group;
  PerDirection<std::optional<BytesPerSecond>> guarantee;
  PerDirection<std::optional<BytesPerSecond>> cap;
  PerDirection<std::optional<std::uint32_t>> weight;
  PerDirection<std::optional<std::uint64_t>> packets;
  PerDirection<std::optional<BytesPerSecond>> least;
  PerDirection<std::optional<BytesPerSecond>> most;
  std::optional<std::uint64_t> burst_ns;
  std::optional<bool> shape;
  std::optional<Mode> mode;
  std::optional<Bypass> bypass;
  std::optional<GuestShare> cpu;  // all of it, as memory
  std::optional<GuestShare> memory;
  bool operator==(const PolicyPatch&) const = default;
};

Policy patched(Policy policy, const PolicyPatch& patch);
// `newer` wins where both say something.
PolicyPatch merged(PolicyPatch older, const PolicyPatch& newer);

// What a class of applications comes to for the traffic of one category.
struct Handling {
  Category category = Category::kUnknown;
  std::optional<std::uint8_t> dscp;                   // written into what the VM sends; nullopt: left as it is
  bool drop = false;                                  // both directions
  std::optional<std::uint8_t> queue = std::nullopt;   // of the uplink, where what the VM sends waits
  std::uint8_t queue_group = 0;                       // of isolated transmit queues, both directions; 0 = none
  std::optional<wire::Mirror> mirror = std::nullopt;  // copies, both directions
  std::optional<Bypass> bypass = std::nullopt;        // longer flows may leave the CPU
  bool is_treated() const { return dscp || drop || queue || queue_group != 0 || mirror; }
  bool operator==(const Handling&) const = default;
};

// A rule of the policy for a part of a VM's traffic in one direction.
struct TrafficRule {
  std::uint32_t number = 0;    // follows from its name, so that it stays the same; below kRuleNumbers
  std::uint32_t priority = 0;  // the lowest wins
  wire::Demand demand = wire::Demand::kPreferHardware;
  wire::Treatment what;  // of no VM yet
  bool operator==(const TrafficRule&) const = default;
};
inline constexpr std::uint32_t kRuleNumbers = 1u << 22;

struct Vm {
  VmId id;  // 0 until the manager has given one
  std::string name;
  std::string dataplane;
  std::vector<wire::Attachment> attachments;
  std::string uuid;  // of its domain at the hypervisor; empty: the domain is known by its MACs
  bool allow_foreign_mac = false;
  Policy policy;
  std::vector<Handling> applications;   // each category at most once
  std::vector<TrafficRule> rules = {};  // each number and direction at most once
  bool operator==(const Vm&) const = default;
};

struct Dataplane {
  std::string name;  // the name in its certificate
  std::string host;  // where its VMs run; a tag of stored points
  std::vector<wire::UplinkSpec> uplinks;
  std::string signature_set;
  bool operator==(const Dataplane&) const = default;

  // All uplinks together.
  BytesPerSecond capacity(Direction direction) const;
};

struct Fleet {
  std::vector<Tier> tiers;
  std::vector<Group> groups;
  std::vector<Dataplane> dataplanes;
  std::vector<Hypervisor> hypervisors;
  std::vector<Vm> vms;
  std::optional<wire::Queueing> queueing;      // of all uplinks whose capacity is known
  std::map<std::string, std::string> origins;  // "vm web cap" -> "policy.toml:12": who said so, for messages
  bool operator==(const Fleet&) const = default;

  const Tier* tier(std::string_view name) const;
  const Group* group(std::string_view name) const;
  const Dataplane* dataplane(std::string_view name) const;
  // " (policy.toml:12)", or nothing where it is a default.
  std::string said_at(const std::string& what) const;
};

// Whose fault it is and why; `key` is the configuration key that is wrong.
struct Objection {
  enum class Subject : std::uint8_t { kTier, kGroup, kDataplane, kHypervisor, kVm };
  Subject subject = Subject::kVm;
  std::size_t index = 0;  // into the fleet's vector of that kind
  std::string key;
  std::string reason;
};

// What makes a fleet impossible: names that clash or are unknown, MACs given twice in a segment, a cap below its
// guarantee, guarantees that sum to more than kGuaranteeablePercent of a dataplane's uplinks or to more than the cap of
// their group. All reasons at once; a sum names each of its parts and where it was said.
std::vector<Objection> objections(const Fleet& fleet);
inline constexpr std::uint64_t kGuaranteeablePercent = 90;

}  // namespace foreflow::model
