// SPDX-License-Identifier: Apache-2.0
// Where ports come and go: the device takes its place in front of every receive queue (-Wl,--wrap).
#include "dataplane/offload/emulated/eswitch.h"
#include "dataplane/offload/emulated/exits.h"

// NOLINTBEGIN(bugprone-reserved-identifier): the linker gives these names
using foreflow::offload::emulated::attach_exit;
using foreflow::offload::emulated::detach_exit;
using foreflow::offload::emulated::Eswitch;

extern "C" {

int __real_rte_eth_dev_start(std::uint16_t port_id);
int __real_rte_eth_dev_close(std::uint16_t port_id);

int __wrap_rte_eth_dev_start(std::uint16_t port_id) {
  // Before the first packet.
  Eswitch::instance().attach(port_id);
  const int outcome = __real_rte_eth_dev_start(port_id);
  if (outcome == 0) attach_exit(port_id);
  return outcome;
}

int __wrap_rte_eth_dev_close(std::uint16_t port_id) {
  Eswitch::instance().detach(port_id);
  detach_exit(port_id);
  return __real_rte_eth_dev_close(port_id);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)
