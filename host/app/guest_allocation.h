// SPDX-License-Identifier: Apache-2.0
// CPU and memory of the VMs of one host: after each reading forecast -> want -> allocation -> hypervisor.
// Place: host/app; driven by the reader of the host, in its thread. Without a reading nothing is decided, so a
// hypervisor that is away keeps what it has.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "host/app/guest_planner.h"
#include "host/app/guest_reader.h"
#include "host/app/guest_view.h"
#include "host/fabric/guest_target.h"
#include "host/forecast/service.h"

namespace foreflow::app {

// CPU and memory in a forecast service of their own, which knows two series per VM.
Direction series_of(model::GuestResource resource);

class GuestAllocation {
 public:
  struct Parts {
    forecast::ForecastService& forecasts;  // of guests alone
    GuestView& view;
    fabric::GuestActuator& actuator;
    std::function<void(std::vector<GuestRan>)> keep;  // for the audit; called with what each decision was made from
  };
  GuestAllocation(std::string host, const model::AllocationSettings& settings, model::Mode mode, Parts parts)
      : host_(std::move(host)), settings_(settings), mode_(mode), parts_(std::move(parts)), planner_(settings) {}

  void on_sample(const model::GuestSample& sample);
  // Decides when the period of allocations has passed since it last did.
  void on_reading(const GuestReading& reading);

 private:
  std::optional<GuestNow> now_of(const GuestReading& reading, const model::Vm& vm, const guest::Domain& domain);
  void enforce(const GuestRequest& request, GuestPlanned& planned);

  std::string host_;
  model::AllocationSettings settings_;
  model::Mode mode_;
  Parts parts_;
  GuestPlanner planner_;
  std::optional<UnixNanos> decided_;
  std::map<model::GuestResource, std::string> failures_;  // said already
};

}  // namespace foreflow::app
