// SPDX-License-Identifier: Apache-2.0
// From forecasts of CPU and memory to what each domain of a host shall have: want, allocation, damping, and why.
// Place: host/app; asked by GuestAllocation. The rounds are those of the uplinks (host/allocate), in other units.
// Thread safety: none, the host's thread owns it.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "host/audit/entry.h"
#include "host/forecast/service.h"
#include "host/guest/hypervisor.h"
#include "host/model/config.h"

namespace foreflow::app {

// A VM in the round of CPU, of memory, or of both, as its policy has it.
struct GuestNow {
  const model::Vm* vm = nullptr;
  const guest::Domain* domain = nullptr;
  std::optional<Bytes> used;  // nullopt: its balloon driver does not say, or is silent
  bool enforced = false;
};

struct GuestRequest {
  const model::Fleet& fleet;
  std::string host;
  guest::Node node;
  UnixNanos now;
  std::vector<GuestNow> guests;
  Bytes others;  // memory of domains that are no VM of ours or take no part
  // CPU in microseconds per second, memory in bytes; nullopt: nothing was seen yet.
  std::function<std::optional<forecast::Forecast>(VmId, model::GuestResource)> forecast;
};

// A round as it was solved: for the audit.
struct GuestRan {
  audit::Entry entry;
  std::vector<allocate::Outcome> outcomes;
};

struct GuestPlanned {
  std::map<std::pair<VmId, model::GuestResource>, model::GuestDecision> decisions;
  std::vector<GuestRan> ran;                             // one per resource that somebody enabled
  std::map<model::GuestResource, std::string> failures;  // why nothing was decided; what is in force stays
};

class GuestPlanner {
 public:
  explicit GuestPlanner(const model::AllocationSettings& settings) : settings_(settings) {}

  // CPU rises at once and falls when its want does. Memory rises at once as far as the host has it to give now, and
  // falls by at most a twentieth per call, never below what is used and a margin; a VM of which that is not known keeps
  // what it has. Wants are remembered for the next call.
  GuestPlanned plan(const GuestRequest& request);
  // A VM that uses all of the CPU it may use shows less than it needs.
  bool is_limited(const model::GuestSample& sample) const;
  void retain(const model::Fleet& fleet);

  static Bytes margin(Bytes used);  // an eighth, at least 64 MiB

 private:
  struct Memory {
    std::optional<allocate::WantState> want;
    BytesPerSecond limit;
  };
  // Memory that a VM cannot give back: used and a margin. It rises with what is used and falls in steps, as each change
  // is a line in the audit.
  struct Kept {
    std::uint64_t amount = 0;
    std::uint64_t margin = 0;
  };
  struct Basis {
    std::string model;  // of the forecast; empty: there is none
    std::string text;
  };
  Kept kept(const GuestNow& guest, model::GuestResource resource);
  allocate::Member member_of(const GuestRequest& request, const GuestNow& guest, model::GuestResource resource,
                             Basis& basis);
  static std::uint64_t free_memory(const GuestRequest& request);
  void plan_resource(const GuestRequest& request, model::GuestResource resource, GuestPlanned& planned);

  model::AllocationSettings settings_;
  std::map<std::pair<VmId, model::GuestResource>, Memory> memory_;
  std::map<VmId, Kept> kept_;
};

}  // namespace foreflow::app
