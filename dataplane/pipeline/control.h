// SPDX-License-Identifier: Apache-2.0
// The control thread: takes desired states from the session, lets the configurator apply them, sends what was achieved,
// reports each second, and reloads signatures and ports when it is asked to.
// Place: dataplane/pipeline, on the main lcore. Thread safety: none. What waits for the disk or compiles
// runs in the background, and a tick waits for no other thread. It does wait for the device: a desired state's device
// calls are all made within one tick, and its retirements in a later one.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>

#include "common/clock.h"
#include "dataplane/config/config.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/background.h"
#include "dataplane/pipeline/box_commands.h"
#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/pipeline/port_changes.h"
#include "dataplane/pipeline/reporter.h"
#include "dataplane/pipeline/signals.h"
#include "dataplane/pipeline/signature_reload.h"
#include "dataplane/pipeline/state_file.h"
#include "dataplane/telemetry/session.h"

namespace foreflow::pipeline {

// Where a reload finds the ports that there shall be.
struct PortReload {
  port::Ports& ports;
  std::function<Result<config::Config>()> read;  // runs in the background
};

struct ControlWiring {
  const config::Config& config;
  std::span<const port::Port> ports;  // at the start
  Engine& engine;
  offload::Enforcer& enforcer;
  telemetry::Session& session;
  Background& background;
  wire::Hello hello;                      // as the session was started with
  std::optional<PortReload> port_reload;  // empty: ports stay (those of a replay do)
};

class Control {
 public:
  explicit Control(ControlWiring wiring);

  // Before the first packet: signatures, and the last desired state from disk.
  Status prepare();
  // Until a request to stop, or until all captures have ended and their reports are stored.
  void run(Signals& signals);
  // After the workers have stopped: the last report, up to the end. The session's destructor brings it to the spool.
  void conclude();

 private:
  // What the background has made ready.
  template <typename T>
  struct Prepared {
    std::mutex mutex;
    std::optional<Result<T>> result;

    void put(Result<T> made) {
      const std::lock_guard lock(mutex);
      result = std::move(made);
    }
    // Never waits.
    std::optional<Result<T>> take() {
      if (const std::unique_lock lock(mutex, std::try_to_lock); lock) return std::exchange(result, std::nullopt);
      return std::nullopt;
    }
  };

  void tick();
  void configure();
  void applied(wire::Applied applied);
  void begin(const wire::DesiredState& desired);
  void report_live();
  void report_capture();
  bool flows_ready(bool overdue);
  void publish_report(UnixNanos time, std::uint64_t interval_ns);
  void tell_idle(const wire::Report& report);
  void reload();
  void reload_signatures();
  void take_config();
  void change_ports();
  void tell(const PortChange& change);
  void followed();
  void watch_links();
  void event(std::string kind, std::string text);

  ControlWiring w_;
  StateFile state_file_;
  Configurator configurator_;
  Reporter reporter_;
  BoxCommands box_;
  SystemClock clock_;
  std::optional<PortChanges> port_changes_;
  std::shared_ptr<Prepared<config::Config>> config_ = std::make_shared<Prepared<config::Config>>();
  SignatureReload reload_;
  std::uint64_t reported_ns_ = 0;  // up to where reports reach, in the engine's time
  std::set<IntentId> idle_;        // rules with an age that match nothing
  bool flows_asked_ = false;
  bool told_by_manager_ = false;  // a desired state of this run was applied
  bool playing_ = false;
  bool finished_ = false;
};

// The identity and abilities of this process, for the session.
wire::Hello make_hello(const config::Config& config, std::span<const port::Port> ports,
                       const wire::Capabilities& capabilities);
std::vector<wire::PortInfo> describe_ports(std::span<const port::Port> ports);

}  // namespace foreflow::pipeline
