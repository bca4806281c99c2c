// SPDX-License-Identifier: Apache-2.0
// Ethdev ports from the configuration: started, with one receive and transmit queue per worker where the device has
// them. Place: dataplane/port. Thread safety: control thread; ids and queue counts are constant after start().
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <rte_mbuf.h>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/config/config.h"

namespace foreflow::port {

struct Port {
  std::uint16_t id = 0;  // ethdev
  std::string name;
  std::string driver;
  config::PortRole role = config::PortRole::kVm;
  MacAddress mac;
  std::uint16_t rx_queues = 0;
  std::uint16_t tx_queues = 0;
  std::uint32_t largest_frame = 1518;          // L2 bytes without FCS, one VLAN tag included
  std::vector<std::uint64_t> capture_packets;  // net_pcap reading files: how many packets each queue delivers in all
};

class Ports {
 public:
  // Configures and starts every port of the configuration (their devices were given to EAL). On failure what was
  // started is stopped; the message names port and device and what ethdev said.
  static Result<Ports> start(const config::Config& config);
  Ports(Ports&& other) noexcept;
  Ports& operator=(Ports&&) = delete;
  ~Ports();  // stops and closes

  const std::vector<Port>& all() const { return ports_; }
  const Port* find(std::string_view name) const;
  rte_mempool* pool() const { return pool_; }
  static bool link_up(const Port& port);

 private:
  Ports() = default;
  std::vector<Port> ports_;
  rte_mempool* pool_ = nullptr;
};

// Capture time of a received packet (net_pcap), nanoseconds since 1970; 0 when the device gives none. After
// Ports::start().
std::uint64_t capture_time(const rte_mbuf& packet) noexcept;

}  // namespace foreflow::port
