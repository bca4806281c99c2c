// SPDX-License-Identifier: Apache-2.0
// Writes the desired state that scripts/bench hands to foreflow-dataplane: VMs and their limits, as the manager would
// have left them on disk.
#include <iostream>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "dataplane/pipeline/state_file.h"

namespace foreflow {
namespace {

namespace options = boost::program_options;

struct Wish {
  std::string file;
  std::vector<std::string> ports;
  std::uint32_t vms = 64;
  std::uint64_t cir = 0;  // bytes/s; 0 = no limits
  std::uint64_t pir = 0;
  std::vector<std::uint64_t> caps;  // bytes/s of the first VMs, committed and peak, both directions; instead of the two
  bool hardware = false;
  bool shape = false;
};

wire::DesiredState desired_state(const Wish& wish) {
  wire::DesiredState state;
  state.generation = Generation{1};
  const auto demand = wish.hardware ? wire::Demand::kRequireHardware : wire::Demand::kSoftware;
  for (std::uint32_t i = 0; i < wish.vms; ++i) {
    const VmId id{i + 1};
    // The capture's addresses: 02:00:00:00:00:NN.
    const MacAddress mac{{2, 0, 0, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}};
    state.vms.push_back({id, fmt::format("vm{}", i), {{wish.ports[i % wish.ports.size()], mac, {}}}, false});
    const auto cir = wish.caps.empty() ? wish.cir : i < wish.caps.size() ? wish.caps[i] : 0;
    const auto pir = wish.caps.empty() ? wish.pir : cir;
    if (cir == 0) continue;
    for (const auto direction : kBothDirections)
      state.intents.push_back({IntentId{state.intents.size() + 1}, 0, demand,
                               wire::Police{.vm = id,
                                            .direction = direction,
                                            .cir = BytesPerSecond{cir},
                                            .pir = BytesPerSecond{pir},
                                            .cbs = Bytes{cir / 20},
                                            .pbs = Bytes{pir / 10 * 8},
                                            .shape = wish.shape}});
  }
  return state;
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  Wish wish;
  options::options_description all("Options");
  all.add_options()("out", options::value(&wish.file)->required(), "file to write (STATE_DIR/desired-state)")(
      "port", options::value(&wish.ports)->required(), "port of the VMs; several: in turn")(
      "vms", options::value(&wish.vms), "how many")("cir", options::value(&wish.cir), "bytes/s of each; 0 = no limit")(
      "pir", options::value(&wish.pir), "bytes/s of each")("cap", options::value(&wish.caps)->multitoken(),
                                                           "bytes/s of the first VM, the second, ...")(
      "shape", options::bool_switch(&wish.shape), "what is over a limit waits")(
      "hardware", options::bool_switch(&wish.hardware), "limits in the device only");
  try {
    options::variables_map given;
    options::store(options::parse_command_line(argc, argv, all), given);
    options::notify(given);
  } catch (const options::error& error) {
    std::cerr << "desired_state: " << error.what() << '\n' << all;
    return 2;
  }
  const auto saved = pipeline::StateFile(wish.file).save(desired_state(wish));
  if (!saved) std::cerr << "desired_state: " << saved.error().message << '\n';
  return saved ? 0 : 1;
}
