// SPDX-License-Identifier: Apache-2.0
// Ethdev ports from the configuration: started, with one receive and transmit queue per worker where the device has
// them. They come and go while the process runs.
// Place: dataplane/port. Thread safety: control thread; ids and queue counts are constant for a port's life.
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
  std::uint16_t id = 0;           // ethdev; used again by later ports
  std::uint32_t incarnation = 0;  // tells it from the others with that id
  std::string name;
  std::string driver;
  config::PortRole role = config::PortRole::kVm;
  MacAddress mac;
  std::uint16_t rx_queues = 0;
  std::uint16_t tx_queues = 0;    // common ones, and of each isolated group
  std::uint8_t queue_groups = 0;  // isolated ones; group g begins at queue g * tx_queues
  std::uint16_t all_tx_queues() const { return static_cast<std::uint16_t>(tx_queues * (1 + queue_groups)); }
  std::uint32_t largest_frame = 1518;          // L2 bytes without FCS, one VLAN tag included
  std::vector<int> arrival_fds;                // see arrival.h
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

  // One more: its device is given to EAL unless it has it, configured and started. Errors as those of start(); what was
  // begun is undone. Takes milliseconds to tens of them, as the driver does.
  Result<Port> add(const config::PortConfig& config);
  // Stops and closes the port, and takes its device from EAL unless other ports are of the same one. Nobody may poll it
  // or send to it any more. Error: there is none of that name, or EAL keeps the device (the port is closed anyway).
  Status remove(std::string_view name);

  const std::vector<Port>& all() const { return ports_; }
  // In the order of all().
  const std::vector<config::PortConfig>& configs() const { return configs_; }
  const Port* find(std::string_view name) const;
  rte_mempool* pool() const { return pool_; }
  static bool link_up(const Port& port);

 private:
  Ports() = default;
  Status append(const config::PortConfig& config);

  std::uint32_t workers_ = 1;
  std::uint32_t incarnations_ = 0;
  std::vector<Port> ports_;
  std::vector<config::PortConfig> configs_;
  rte_mempool* pool_ = nullptr;
};

// Capture time of a received packet (net_pcap), nanoseconds since 1970; 0 when the device gives none. After
// Ports::start().
std::uint64_t capture_time(const rte_mbuf& packet) noexcept;

}  // namespace foreflow::port
