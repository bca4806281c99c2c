// SPDX-License-Identifier: Apache-2.0
// The manager's loop without a network: sessions' calls in, desired states out, on a clock of the test's own.
// Place: tests/unit/host.
#pragma once
#include "common/clock.h"
#include "host/app/cycle.h"
#include "host/app/ingest.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/host/fleet_fixture.h"
#include "tests/unit/host/memory_store.h"

namespace foreflow {

class ManagerLoop {
 public:
  static constexpr std::uint64_t kSecond = kNanosPerSecond;

  explicit ManagerLoop(model::Mode mode = model::Mode::kEnforce, const model::Fleet& fleet = small_fleet())
      : state_(std::move(*store::StateStore::open(folder_ / "state.db"))),
        rosters(*state_, clock),
        forecasts({.interval_ns = 10 * kSecond, .horizon = 12, .season = 6, .history = 600}),
        actuator(
            [this](const std::string&, const wire::DesiredState& desired) -> Status {
              sent.push_back(desired);
              return {};
            },
            [this](const fabric::Installed& newest) -> Status {
              installed = newest;
              return {};
            },
            {}),
        cycle({rosters, store, forecasts, live, actuator, clock}, {.hold_ns = 600 * kSecond}, mode),
        ingest({rosters, store, forecasts, live, actuator, clock}, {[] {}, [](const auto&) {}}) {
    if (auto loaded = rosters.load(fleet); !loaded) throw std::runtime_error(loaded.error().message);
  }

  VmId id(const std::string& name) { return rosters.current()->vm(name)->id; }

  Status hello(const std::string& dataplane = "dpu0") {
    return ingest.on_hello({.dataplane = dataplane,
                            .version = "test",
                            .boot_id = 1,
                            .capabilities = {.lending = wire::Lending::kSoftware, .backend = "test"}});
  }

  // A second passes in which the VM sends `rate`.
  wire::Report second(const std::string& vm, BytesPerSecond rate, bool limited = false) {
    clock.advance(std::chrono::seconds(1));
    wire::Report report{.sequence = ++sequence, .time = clock.now(), .interval_ns = kSecond};
    wire::VmSample sample{.vm = id(vm)};
    auto& egress = sample.directions[index(Direction::kEgress)];
    egress.offered_bytes = egress.passed_bytes = rate.value;
    egress.limited = limited;
    egress.app_bytes[index(Category::kWeb)] = rate.value;
    report.vms.push_back(sample);
    return report;
  }

  Status deliver(const wire::Report& report) { return ingest.on_report("dpu0", 1, report); }

  // Of the newest desired state.
  const wire::Police* police(const std::string& vm, Direction direction) {
    if (sent.empty()) return nullptr;
    for (const auto& intent : sent.back().intents) {
      const auto& found = std::get<wire::Police>(intent.what);
      if (found.vm == id(vm) && found.direction == direction) return &found;
    }
    return nullptr;
  }

 private:
  test::TemporaryDirectory folder_;
  std::unique_ptr<store::StateStore> state_;

 public:
  ManualClock clock{UnixNanos{1'800'000'000'000'000'000}};
  MemoryStore store;
  app::Rosters rosters;
  forecast::ForecastService forecasts;
  app::LiveView live;
  std::vector<wire::DesiredState> sent;
  fabric::Installed installed;  // what outlives a restart
  fabric::DpuActuator actuator;
  app::Cycle cycle;
  app::Ingest ingest;
  std::uint64_t sequence = 0;
};

}  // namespace foreflow
