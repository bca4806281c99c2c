// SPDX-License-Identifier: Apache-2.0
// Ports that come and go while workers run. A port that leaves is taken out of the configuration first; it is closed
// once no worker polls it, no packet on its way names it and none that waits for its limit does, because its id may be
// given to the next port. A port that comes is started first and published then.
// Place: dataplane/pipeline, beside the configurator. Thread safety: control thread. Nothing here waits for workers;
// the calls into the drivers take what they take.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/config/config.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/port/port.h"

namespace foreflow::pipeline {

// What became of one port.
struct PortChange {
  enum class Kind : std::uint8_t { kAdded, kRemoved, kFailed };
  Kind kind = Kind::kFailed;
  port::Port port;     // kFailed: its name alone
  std::string reason;  // kFailed; kRemoved: not empty if EAL kept the device
};

class PortChanges {
 public:
  PortChanges(port::Ports& ports, Engine& engine, Configurator& configurator, offload::Enforcer& enforcer)
      : ports_(ports), engine_(engine), configurator_(configurator), enforcer_(enforcer) {}

  bool busy() const { return phase_ != Phase::kIdle; }
  // Towards these ports, in this order; a port whose configuration differs leaves and comes again. Not while busy().
  void begin(std::vector<config::PortConfig> wanted);
  // The next step, if it can be made now. Only while the configurator is not busy; when it is afterwards, its finish()
  // comes before the next step. Returns what happened to ports.
  std::vector<PortChange> step();

 private:
  enum class Phase : std::uint8_t { kIdle, kLeaving, kDraining, kComing };

  bool stays(const config::PortConfig& current) const;
  bool is_proxy_of_others(const port::Port& port) const;
  std::vector<PortChange> leave();
  std::vector<PortChange> close();
  std::vector<PortChange> come();
  void publish(std::vector<port::Port> ports);

  port::Ports& ports_;
  Engine& engine_;
  Configurator& configurator_;
  offload::Enforcer& enforcer_;
  Phase phase_ = Phase::kIdle;
  std::vector<config::PortConfig> wanted_;
  std::vector<port::Port> leaving_;
  std::vector<std::uint32_t> handed_over_;  // when the leaving ports were out of the configuration
  std::uint64_t left_ns_ = 0;
};

}  // namespace foreflow::pipeline
