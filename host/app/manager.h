// SPDX-License-Identifier: Apache-2.0
// The manager as a whole: wires store, sessions, forecasts, cycle and API together, and answers operators.
// Place: host/app; made by main.
//
// Threads: gRPC's of the link (Ingest, one call at a time per dataplane), gRPC's of the API (the Operations below), the
// cycle's one, the training's one, one per hypervisor, the store's own. They meet in Rosters, LiveView,
// ForecastService, the store and the actuator, each of which has its own lock; none of these locks is held while
// another part is called, but the actuator's while it queues a message to the link.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/clock.h"
#include "host/api/operations.h"
#include "host/api/policy_operations.h"
#include "host/api/server.h"
#include "host/app/anomaly_watch.h"
#include "host/app/audit_trail.h"
#include "host/app/background_training.h"
#include "host/app/cycle.h"
#include "host/app/guest_allocation.h"
#include "host/app/guest_reader.h"
#include "host/app/guest_view.h"
#include "host/app/ingest.h"
#include "host/app/live_view.h"
#include "host/app/roster.h"
#include "host/app/state_lock.h"
#include "host/fabric/dpu_actuator.h"
#include "host/fabric/hypervisor_actuator.h"
#include "host/forecast/service.h"
#include "host/link/server.h"
#include "host/model/config.h"
#include "host/store/rollup.h"
#include "host/store/state_store.h"
#include "predictor/models/global/boosted.h"

namespace foreflow::app {

class Manager final : public api::Operations, public api::PolicyOperations, public api::AuditOperations {
 public:
  // Opens what is kept, decides once from it, then listens. Errors name the file or the address.
  static Result<std::unique_ptr<Manager>> start(model::ManagerConfig config);
  // Drains: no more sessions, running reports are stored, histories are saved.
  ~Manager() override;

  // A new fleet takes effect at once. Sections that need a restart are named in a warning and stay as they were.
  foreflow::Status reload(const model::ManagerConfig& config);

  int link_port() const { return link_->port(); }
  int api_port() const { return api_->port(); }
  // The handler that sessions call; for tests that speak without a network.
  link::SessionHandler& sessions() { return *ingest_; }

  api::ManagerStatus status() const override;
  Result<std::vector<api::VmStatus>> vms(const std::string& name) const override;
  Result<std::vector<api::DataplaneStatus>> dataplanes(const std::string& name) const override;
  Result<std::vector<api::HypervisorStatus>> hypervisors(const std::string& host) const override;
  Result<api::ForecastView> forecast(const std::string& vm, Direction direction) const override;
  Result<std::vector<api::Rule>> rules(const std::string& vm) const override;
  Result<std::vector<api::Flow>> flows(const std::string& vm) const override;
  Result<std::vector<std::string>> reload_signatures(const std::string& dataplane) override;
  Result<api::PolicyChange> set_policy(const std::string& vm, const model::PolicyPatch& patch,
                                       const std::string& author, bool dry_run) override;
  Result<policy::Accepted> apply_policy(const policy::Proposal& proposal) override;
  std::vector<policy::Version> policy_history() const override { return rosters_->history(); }
  Result<api::Explanation> explain(const std::string& vm, UnixNanos time) const override;
  Result<audit::Report> check_audit(bool replay, const audit::Range& range) const override {
    return audit_->check(replay, range);
  }
  foreflow::Status start_shadow(const policy::Proposal& proposal) override;
  void stop_shadow() override { cycle_->shadow().stop(); }
  api::ShadowReport shadow() const override { return cycle_->shadow().report(*rosters_->current()); }

 private:
  // Of one hypervisor; its reader's thread uses all of it.
  struct HypervisorParts {
    model::Hypervisor settings;
    std::unique_ptr<fabric::HypervisorActuator> actuator;
    std::unique_ptr<GuestAllocation> allocation;
    std::unique_ptr<GuestReader> reader;
  };
  explicit Manager(model::ManagerConfig config);
  foreflow::Status open();
  foreflow::Status listen();
  void read_guests(const std::vector<model::Hypervisor>& wanted);
  HypervisorParts read(const model::Hypervisor& hypervisor);
  Result<std::map<std::string, fabric::Installed>> installed() const;
  void load_guest_history();
  void save_history();
  api::VmStatus status_of(const Roster& roster, const model::Vm& vm, const Plan& plan) const;

  model::ManagerConfig config_;
  SystemClock clock_;
  std::optional<StateLock> lock_;  // let go of last
  UnixNanos started_ = clock_.now();
  UnixNanos history_saved_ = started_;
  std::unique_ptr<store::StateStore> state_;
  std::unique_ptr<store::SeriesStore> store_;
  std::unique_ptr<store::Rollup> rollup_;
  std::unique_ptr<Rosters> rosters_;
  std::unique_ptr<forecast::ForecastService> forecasts_;
  predictor::BoostedTrainer trainer_;
  std::unique_ptr<BackgroundTraining> training_;
  LiveView live_;
  std::unique_ptr<fabric::DpuActuator> actuator_;
  std::unique_ptr<AuditTrail> audit_;
  std::unique_ptr<AnomalyWatch> anomalies_;
  std::unique_ptr<Cycle> cycle_;
  std::unique_ptr<Ingest> ingest_;
  GuestView guests_;
  std::unique_ptr<forecast::ForecastService> guest_forecasts_;
  std::vector<HypervisorParts> hypervisors_;
  std::mutex link_mutex_;  // a session may begin before start() has returned
  std::unique_ptr<link::LinkServer> link_;
  std::unique_ptr<api::ApiServer> api_;
};

}  // namespace foreflow::app
