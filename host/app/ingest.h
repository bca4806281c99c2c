// SPDX-License-Identifier: Apache-2.0
// What the manager does with what its dataplanes say: store first, then learn from it and show it.
// Place: host/app, behind host/link. Thread safety: as SessionHandler demands; sessions run beside each other.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "common/clock.h"
#include "host/app/live_view.h"
#include "host/app/roster.h"
#include "host/fabric/dpu_actuator.h"
#include "host/forecast/service.h"
#include "host/link/server.h"
#include "host/store/series_store.h"

namespace foreflow::app {

class Ingest final : public link::SessionHandler {
 public:
  struct Parts {
    const Rosters& rosters;
    store::SeriesStore& store;
    forecast::ForecastService& forecasts;
    LiveView& live;
    fabric::DpuActuator& actuator;
    const Clock& clock;
  };
  struct Hooks {
    std::function<void()> connected;                               // a dataplane has said what it can do
    std::function<void(const std::vector<store::Point>&)> stored;  // each report's points, once they are durable
  };
  Ingest(Parts parts, Hooks hooks);

  Status on_hello(const wire::Hello& hello) override;
  Status on_report(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report) override;
  void on_received(const std::string& dataplane, const link::ReportSize& size) override;
  void on_applied(const std::string& dataplane, const wire::Applied& applied) override;
  void on_event(const std::string& dataplane, const wire::Event& event) override;
  void on_disconnect(const std::string& dataplane) override;

 private:
  Status take(const std::string& dataplane, std::uint64_t boot_id, const wire::Report& report);
  void note(const std::string& dataplane, const Status& taken);
  Result<bool> is_duplicate(const store::Watermark& mark);
  Status keep(const std::vector<store::Point>& points, const store::Watermark& mark);
  void learn(const std::string& dataplane, const wire::Report& report, const Roster& roster);

  Parts parts_;
  Hooks hooks_;
  std::mutex mutex_;
  // Of the newest boot of each dataplane, so that the store is asked once per boot.
  std::map<std::string, store::Watermark> marks_;
};

}  // namespace foreflow::app
