// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/exits.h"

#include <array>
#include <utility>

#include <rte_ethdev.h>
#include <rte_spinlock.h>

namespace foreflow::offload::emulated {
namespace {

struct alignas(64) Exit {
  rte_spinlock_t lock = RTE_SPINLOCK_INITIALIZER;
  eth_tx_burst_t transmit = nullptr;  // the driver's
};

constinit std::array<Exit, RTE_MAX_ETHPORTS> exits{};

std::uint16_t transmit(Exit& exit, void* queue, rte_mbuf** packets, std::uint16_t count) {
  rte_spinlock_lock(&exit.lock);
  const auto sent = exit.transmit(queue, packets, count);
  rte_spinlock_unlock(&exit.lock);
  return sent;
}

// A driver's function is called without its port's number, so each port has a function of its own.
template <std::size_t Port>
std::uint16_t transmit_on(void* queue, rte_mbuf** packets, std::uint16_t count) {
  return transmit(exits[Port], queue, packets, count);
}

template <std::size_t... Ports>
constexpr auto functions_of(std::index_sequence<Ports...>) {
  return std::array<eth_tx_burst_t, sizeof...(Ports)>{transmit_on<Ports>...};
}
constexpr auto kFunctions = functions_of(std::make_index_sequence<RTE_MAX_ETHPORTS>{});

}  // namespace

void attach_exit(std::uint16_t port) {
  auto& operations = rte_eth_fp_ops[port];
  if (operations.tx_pkt_burst == kFunctions.at(port)) return;
  exits.at(port).transmit = operations.tx_pkt_burst;
  operations.tx_pkt_burst = kFunctions.at(port);
}

void detach_exit(std::uint16_t port) { exits.at(port).transmit = nullptr; }

void send(std::uint16_t port, rte_mbuf* packet) {
  auto& exit = exits.at(port);
  const bool sent = exit.transmit != nullptr && transmit(exit, rte_eth_fp_ops[port].txq.data[0], &packet, 1) == 1;
  if (!sent) rte_pktmbuf_free(packet);
}

}  // namespace foreflow::offload::emulated
