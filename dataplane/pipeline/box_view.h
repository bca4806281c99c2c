// SPDX-License-Identifier: Apache-2.0
// The state of the packet path as an operator on the machine sees it: a copy, made with each report.
// Place: dataplane/pipeline, from control to box_commands.
#pragma once
#include <cstdint>
#include <vector>

#include "common/wire/messages.h"
#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/engine.h"
#include "dataplane/port/port.h"

namespace foreflow::pipeline {

struct BoxView {
  struct Worker {
    std::uint64_t rx_packets = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t dropped_packets = 0;
    std::uint64_t vms = 0;  // that it owns
  };
  struct Vm {
    wire::VmSpec spec;
    std::uint32_t worker = 0;
  };
  wire::Report report;
  std::vector<Vm> vms;  // ordered by id
  std::vector<port::Port> ports;
  std::vector<Worker> workers;
};

BoxView make_box_view(Engine& engine, const Configurator& configurator, const wire::Report& report);

}  // namespace foreflow::pipeline
