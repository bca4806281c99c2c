// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/port.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include <fmt/format.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

#include "common/log.h"
#include "dataplane/port/arrival.h"
#include "dataplane/port/capture.h"

namespace foreflow::port {
namespace {

constexpr std::uint16_t kDescriptors = 1024;
constexpr std::uint16_t kCache = 256;
constexpr std::uint32_t kEthernetAndVlan = 14 + 4;
constexpr std::size_t kPortsInReserve = 8;  // for which there are packet buffers, used or not

int timestamp_offset = -1;
std::uint64_t timestamp_flag = 0;

Error ethdev_error(const config::PortConfig& port, std::string_view what, int error) {
  return Error{ErrorCode::kUnavailable,
               fmt::format("port {} ({}): {}: {}", port.name, port.device, what, rte_strerror(-error))};
}

// Drivers whose queues exist before anyone sets them up: each unused one would swallow its share of the packets.
bool has_fixed_queues(std::string_view driver) {
  return driver == "net_af_packet" || driver == "net_pcap" || driver == "net_ring";
}

std::uint16_t queue_count(const config::PortConfig& port, std::uint32_t workers, std::string_view driver,
                          std::uint16_t most) {
  if (has_fixed_queues(driver)) return most;
  const auto wanted = port.queues == 0 ? workers : port.queues;
  return static_cast<std::uint16_t>(std::min<std::uint32_t>(wanted, most));
}

// The common queues and each isolated group get the same number.
Status share_tx_queues(const config::PortConfig& config, std::uint32_t workers, std::uint16_t most, Port& port) {
  const auto groups = 1 + config.queue_groups;
  port.queue_groups = static_cast<std::uint8_t>(config.queue_groups);
  port.tx_queues = queue_count(config, workers, port.driver, static_cast<std::uint16_t>(most / groups));
  if (port.tx_queues != 0) return {};
  return fail(ErrorCode::kInvalidConfig,
              fmt::format("port {} ({}): the device has {} transmit queues, queue_groups = {} needs {}", config.name,
                          config.device, most, config.queue_groups, groups));
}

rte_eth_conf ethdev_conf(const rte_eth_dev_info& info, std::uint16_t rx_queues) {
  rte_eth_conf conf{};
  if (rx_queues > 1 && info.flow_type_rss_offloads != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf =
        (RTE_ETH_RSS_IP | RTE_ETH_RSS_TCP | RTE_ETH_RSS_UDP) & info.flow_type_rss_offloads;
  }
  conf.txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS & info.tx_offload_capa;
  return conf;
}

Status set_up_queues(const config::PortConfig& config, const Port& port, rte_mempool* pool) {
  std::uint16_t rx_descriptors = kDescriptors;
  std::uint16_t tx_descriptors = kDescriptors;
  if (const int error = rte_eth_dev_adjust_nb_rx_tx_desc(port.id, &rx_descriptors, &tx_descriptors); error != 0)
    return tl::unexpected(ethdev_error(config, "descriptors", error));
  const auto socket = static_cast<unsigned>(rte_eth_dev_socket_id(port.id));
  for (std::uint16_t queue = 0; queue < port.rx_queues; ++queue)
    if (const int error = rte_eth_rx_queue_setup(port.id, queue, rx_descriptors, socket, nullptr, pool); error != 0)
      return tl::unexpected(ethdev_error(config, fmt::format("receive queue {}", queue), error));
  for (std::uint16_t queue = 0; queue < port.all_tx_queues(); ++queue)
    if (const int error = rte_eth_tx_queue_setup(port.id, queue, tx_descriptors, socket, nullptr); error != 0)
      return tl::unexpected(ethdev_error(config, fmt::format("transmit queue {}", queue), error));
  return {};
}

Status set_mtu(const config::PortConfig& config, Port& port) {
  std::uint16_t mtu = 0;
  rte_eth_dev_get_mtu(port.id, &mtu);
  if (mtu != config.mtu) {
    const int error = rte_eth_dev_set_mtu(port.id, static_cast<std::uint16_t>(config.mtu));
    if (error != 0 && error != -ENOTSUP)
      return tl::unexpected(ethdev_error(config, fmt::format("mtu {}", config.mtu), error));
  }
  port.largest_frame = config.mtu + kEthernetAndVlan;
  return {};
}

std::string netdev_of(const config::PortConfig& config) {
  return config.netdev.empty() ? config.device.substr(0, config.device.find(',')) : config.netdev;
}

Result<std::uint16_t> find_ethdev(const config::PortConfig& config) {
  std::uint16_t id = 0;
  if (rte_eth_dev_get_port_by_name(netdev_of(config).c_str(), &id) == 0) return id;
  return fail(ErrorCode::kNotFound, fmt::format("port {} ({}): no ethdev is called '{}'; set 'netdev'", config.name,
                                                config.device, netdev_of(config)));
}

Status start_ethdev(const config::PortConfig& config, std::uint32_t workers, rte_mempool* pool, Port& port) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(port.id, &info); error != 0)
    return tl::unexpected(ethdev_error(config, "device information", error));
  port.driver = info.driver_name;
  port.rx_queues = queue_count(config, workers, port.driver, info.max_rx_queues);
  if (auto status = share_tx_queues(config, workers, info.max_tx_queues, port); !status) return status;
  const auto conf = ethdev_conf(info, port.rx_queues);
  if (const int error = rte_eth_dev_configure(port.id, port.rx_queues, port.all_tx_queues(), &conf); error != 0)
    return tl::unexpected(ethdev_error(config, "configuration", error));
  if (auto status = set_up_queues(config, port, pool); !status) return tl::unexpected(status.error());
  if (auto status = set_mtu(config, port); !status) return tl::unexpected(status.error());
  if (const int error = rte_eth_dev_start(port.id); error != 0)
    return tl::unexpected(ethdev_error(config, "start", error));
  if (const int error = rte_eth_promiscuous_enable(port.id); error != 0 && error != -ENOTSUP)
    log::warning("port is not promiscuous", {{"port", port.name}, {"reason", rte_strerror(-error)}});
  port.arrival_fds = arrival_fds(port.id, port.rx_queues);
  rte_ether_addr mac{};
  rte_eth_macaddr_get(port.id, &mac);
  std::copy(std::begin(mac.addr_bytes), std::end(mac.addr_bytes), port.mac.octets.begin());
  return {};
}

const rte_device* device_of(std::uint16_t id) {
  rte_eth_dev_info info{};
  return rte_eth_dev_info_get(id, &info) == 0 ? info.device : nullptr;
}

// What nobody receives any more: a software device (a ring) does not free it when it is closed, and the pool would be
// short of it. Bounded, since a peer may still be sending.
void discard_received(const Port& port) noexcept {
  constexpr std::uint16_t kBurst = 32;
  constexpr int kMostBursts = 128;
  std::array<rte_mbuf*, kBurst> packets;
  for (std::uint16_t queue = 0; queue < port.rx_queues; ++queue) {
    for (int burst = 0; burst < kMostBursts; ++burst) {
      const auto count = rte_eth_rx_burst(port.id, queue, packets.data(), kBurst);
      if (count == 0) break;
      rte_pktmbuf_free_bulk(packets.data(), count);
    }
  }
}

// Several ports may be of one device (representors): it goes with the last of them.
Status close_ethdev(std::uint16_t id) {
  auto* device = const_cast<rte_device*>(device_of(id));
  rte_eth_dev_stop(id);
  rte_eth_dev_close(id);
  std::uint16_t other = 0;
  if (device == nullptr) return {};
  RTE_ETH_FOREACH_DEV(other) if (device_of(other) == device) return {};
  const std::string name = rte_dev_name(device);
  if (const int error = rte_dev_remove(device); error != 0)
    return fail(ErrorCode::kUnavailable, fmt::format("EAL keeps device {}: {}", name, rte_strerror(-error)));
  return {};
}

// Enough for all descriptors, all caches and what may lie in the hand-over rings (bounded by the pool itself: a full
// pool is a counted drop).
unsigned pool_size(const config::Config& config) {
  const auto threads = config.workers + 1;
  const auto ports = std::max(config.ports.size(), kPortsInReserve);
  const auto queues = static_cast<unsigned>(ports) * config.workers;
  const auto wanted = 8192 + threads * 2 * kCache + queues * 2 * kDescriptors;
  const auto affordable = config.eal.hugepages ? wanted : config.eal.memory_mb * 256;  // half of it at 2 KiB each
  return std::max(4096u, std::min(wanted, affordable));
}

}  // namespace

Result<Ports> Ports::start(const config::Config& config) {
  Ports ports;
  auto captures = inspect_captures(config);
  if (!captures) return tl::unexpected(captures.error());
  if (rte_mbuf_dyn_rx_timestamp_register(&timestamp_offset, &timestamp_flag) != 0)
    return fail(ErrorCode::kExhausted, "no room for the timestamp field in mbufs");
  // Before any port starts: devices look then whether their rules' metadata is wanted. Without it nothing is steered by
  // a device.
  if (rte_flow_dynf_metadata_register() != 0) log::warning("no room for the metadata field in mbufs", {});
  ports.pool_ =
      rte_pktmbuf_pool_create("foreflow", pool_size(config), kCache, 0, RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
  if (ports.pool_ == nullptr)
    return fail(ErrorCode::kExhausted, fmt::format("no memory for {} packet buffers: {}; raise eal.memory_mb",
                                                   pool_size(config), rte_strerror(rte_errno)));
  ports.workers_ = config.workers;
  for (const auto& entry : config.ports) {
    if (auto appended = ports.append(entry); !appended) return tl::unexpected(appended.error());
    ports.ports_.back().capture_packets = (*captures)[entry.name];
  }
  return ports;
}

// What a port that does not start leaves is closed with the others, or by add().
Status Ports::append(const config::PortConfig& config) {
  const auto id = find_ethdev(config);
  if (!id) return tl::unexpected(id.error());
  Port port{.id = *id, .incarnation = ++incarnations_, .name = config.name, .driver = "", .role = config.role};
  if (auto started = start_ethdev(config, workers_, pool_, port); !started) return started;
  log::info("port started", {{"port", port.name},
                             {"device", config.device},
                             {"driver", port.driver},
                             {"rx_queues", port.rx_queues},
                             {"tx_queues", port.tx_queues}});
  ports_.push_back(std::move(port));
  configs_.push_back(config);
  return {};
}

Result<Port> Ports::add(const config::PortConfig& config) {
  if (find(config.name) != nullptr)
    return fail(ErrorCode::kAlreadyExists, fmt::format("port {}: there is one of that name", config.name));
  const auto known = find_ethdev(config);
  if (!known)
    if (const int error = rte_dev_probe(config.device.c_str()); error != 0)
      return tl::unexpected(ethdev_error(config, "EAL does not take the device", error));
  if (auto appended = append(config); !appended) {
    const auto id = find_ethdev(config);
    if (!known && id) std::ignore = close_ethdev(*id);
    return tl::unexpected(appended.error());
  }
  return ports_.back();
}

Status Ports::remove(std::string_view name) {
  const auto* port = find(name);
  if (port == nullptr) return fail(ErrorCode::kNotFound, fmt::format("there is no port {}", name));
  const auto at = port - ports_.data();
  const auto id = port->id;
  discard_received(*port);
  log::info("port removed", {{"port", port->name}, {"device", configs_[static_cast<std::size_t>(at)].device}});
  ports_.erase(ports_.begin() + at);
  configs_.erase(configs_.begin() + at);
  return close_ethdev(id);
}

Ports::Ports(Ports&& other) noexcept
    : workers_(other.workers_),
      incarnations_(other.incarnations_),
      ports_(std::exchange(other.ports_, {})),
      configs_(std::exchange(other.configs_, {})),
      pool_(std::exchange(other.pool_, nullptr)) {}

Ports::~Ports() {
  for (const auto& port : ports_) {
    rte_eth_dev_stop(port.id);
    rte_eth_dev_close(port.id);
  }
  rte_mempool_free(pool_);
}

const Port* Ports::find(std::string_view name) const {
  const auto found = std::find_if(ports_.begin(), ports_.end(), [&](const Port& port) { return port.name == name; });
  return found == ports_.end() ? nullptr : &*found;
}

bool Ports::link_up(const Port& port) {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port.id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

std::uint64_t capture_time(const rte_mbuf& packet) noexcept {
  if (timestamp_offset < 0 || (packet.ol_flags & timestamp_flag) == 0) return 0;
  constexpr std::uint64_t kMicrosecond = 1000;  // net_pcap's unit
  return *RTE_MBUF_DYNFIELD(&packet, timestamp_offset, const rte_mbuf_timestamp_t*) * kMicrosecond;
}

}  // namespace foreflow::port
