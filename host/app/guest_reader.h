// SPDX-License-Identifier: Apache-2.0
// Reads one hypervisor every few seconds: what its domains did goes into the store and to whoever plans with it.
// Place: host/app. One thread of its own, since a call may wait for the hypervisor.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/clock.h"
#include "host/app/guest_view.h"
#include "host/app/roster.h"
#include "host/guest/hypervisor.h"
#include "host/guest/sampler.h"
#include "host/model/guest.h"
#include "host/store/series_store.h"

namespace foreflow::app {

// What a hypervisor had to say, while it is being taken in.
struct GuestReading {
  const Roster& roster;
  guest::Node node;
  UnixNanos now;
  const std::vector<guest::Domain>& domains;
  const std::vector<std::pair<const guest::Domain*, const model::Vm*>>& guests;  // those that are VMs
};

class GuestReader {
 public:
  struct Parts {
    const Rosters& rosters;
    store::SeriesStore& store;
    GuestView& view;
    const Clock& clock;
  };
  struct Hooks {
    std::function<Result<std::unique_ptr<guest::Hypervisor>>(const std::string& uri)> open;
    std::function<void(const std::vector<store::Point>&)> stored;  // once they are durable
    std::function<void(const model::GuestSample&)> sampled;        // each sample, in order of time
    std::function<void(const GuestReading&)> read;                 // after its samples
  };
  GuestReader(model::Hypervisor settings, Parts parts, Hooks hooks);

  // One reading in the caller's thread; connects first where that is needed. Returns how long to wait for the next one:
  // the period, or after failures in a row 1 s, 2 s, ... up to a minute.
  std::uint64_t step();
  // The thread; ends with this object, within the time that a call may take.
  void start();

  static constexpr std::size_t kMostWaiting = 50'000;  // points that the store did not take; the oldest go first

 private:
  Status read();
  Status connect();
  void take(const std::vector<guest::Domain>& domains, UnixNanos now);
  void keep(std::vector<store::Point> points);
  std::uint64_t failed(const Error& error);

  model::Hypervisor settings_;
  Parts parts_;
  Hooks hooks_;
  std::unique_ptr<guest::Hypervisor> connection_;
  guest::Sampler sampler_;
  model::HypervisorLive live_;
  std::uint64_t failures_in_a_row_ = 0;
  std::vector<store::Point> waiting_;
  std::jthread thread_;  // last: uses what is above
};

}  // namespace foreflow::app
