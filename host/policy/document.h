// SPDX-License-Identifier: Apache-2.0
// A policy as operators write it: tiers, groups, rules for VMs, events, maintenance and application classes, laid over
// what the configuration says. docs/policy.md has the meaning of each key; configs/policy.toml is an example.
// Place: host/policy; its text is what the manager keeps as a version.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/category.h"
#include "common/result.h"
#include "host/model/fleet.h"
#include "host/policy/window.h"

namespace foreflow::policy {

inline constexpr std::size_t kMostWindows = 64;         // events and maintenance of a document
inline constexpr std::size_t kMostRules = 256;          // for traffic
inline constexpr std::size_t kLargestText = 512 << 10;  // bytes

// Key of a table -> "policy.toml:12".
using Places = std::map<std::string, std::string>;

struct VmRule {
  std::string name;  // of one VM, or a pattern with * and ?
  model::PolicyPatch patch;
  Places places;
  bool is_pattern() const { return name.find_first_of("*?") != std::string::npos; }
};

// What holds for a while: a launch, a backup at night.
struct Event {
  std::string name;
  Window window;
  std::vector<std::string> vms;     // names or patterns
  std::vector<std::string> groups;  // all their VMs
  model::PolicyPatch patch;
  Places places;
};

struct Maintenance {
  std::string name;
  Window window;
  std::string dataplane;
  std::uint32_t capacity_percent = 100;  // of its uplinks that is left
  bool freeze = false;                   // limits stay as they are
  Places places;
};

// Traffic of these categories is treated alike.
struct ApplicationClass {
  std::string name;
  std::vector<Category> categories;
  std::vector<std::string> vms;         // names or patterns; empty: all VMs
  std::optional<std::uint8_t> dscp;     // 0 to 63, of what VMs send; nullopt: not marked
  bool drop = false;                    // what VMs send and what reaches them
  std::optional<std::uint8_t> queue;    // of the uplink, where what VMs send waits; nullopt: with everything else
  std::uint8_t queue_group = 0;         // of isolated transmit queues of the port where it leaves; 0 = the common ones
  std::optional<wire::Mirror> mirror;   // copies of both directions
  std::optional<model::Bypass> bypass;  // longer flows may leave the CPU for the device
  Places places;
};

// What happens to a part of the traffic of VMs, told by addresses and ports: a device can do that.
struct TrafficRule {
  std::string name;
  std::vector<std::string> vms;        // names or patterns; empty: all VMs
  std::optional<Direction> direction;  // nullopt: both, as far as what it does can be done there
  std::uint32_t priority = 50;         // the lowest wins; classes have 100
  wire::Demand demand = wire::Demand::kPreferHardware;
  wire::Treatment what;  // of no VM and no direction yet
  Places places;
};
// The same for the same name for ever: below model::kRuleNumbers.
std::uint32_t number_of(const TrafficRule& rule);

struct Document {
  std::vector<model::Tier> tiers;
  std::vector<model::Group> groups;
  std::vector<VmRule> vms;
  std::vector<Event> events;
  std::vector<Maintenance> maintenance;
  std::vector<ApplicationClass> classes;
  std::vector<TrafficRule> rules;
  std::optional<wire::Queueing> queueing;  // nullopt: nothing waits, whatever queue a class names
  Places origins;                          // of tiers and groups: "group tenant-a cap" -> "policy.toml:12"
};

// Strict: unknown keys, wrong types and names given twice are kInvalidConfig with file and line, all at once. `name`
// stands for the file in messages.
Result<Document> read(std::string_view text, std::string_view name);

// The document in its plain form, without comments; read(write(d)) says what d says.
std::string write(const Document& document);

// The patch as its document would write it: "cap egress" -> "50M".
std::map<std::string, std::string> said(const model::PolicyPatch& patch);
// As above, all but name and places.
std::map<std::string, std::string> said(const TrafficRule& rule);

}  // namespace foreflow::policy
