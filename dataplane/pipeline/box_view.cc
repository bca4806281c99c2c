// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/box_view.h"

#include <algorithm>

namespace foreflow::pipeline {

BoxView make_box_view(Engine& engine, const Configurator& configurator, const wire::Report& report) {
  BoxView view{.report = report, .vms = {}, .ports = {}, .workers = {}};
  view.ports.assign(configurator.ports().begin(), configurator.ports().end());
  for (const auto& worker : engine.workers()) {
    auto& line = view.workers.emplace_back();
    const auto& total = worker->books().total();
    for (const auto& port : total.ports) {
      line.rx_packets += port.rx_packets.read();
      line.tx_packets += port.tx_packets.read();
    }
    for (const auto& drops : total.drops) line.dropped_packets += drops.read();
  }
  for (const auto& spec : configurator.desired().vms) {
    const auto slot = configurator.slots().find(spec.id);
    if (!slot) continue;
    const auto owner = owner_of(*slot, static_cast<std::uint16_t>(view.workers.size()));
    ++view.workers[owner].vms;
    view.vms.push_back({spec, owner});
  }
  std::sort(view.vms.begin(), view.vms.end(), [](const auto& a, const auto& b) { return a.spec.id < b.spec.id; });
  return view;
}

}  // namespace foreflow::pipeline
