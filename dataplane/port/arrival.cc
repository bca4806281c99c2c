// SPDX-License-Identifier: Apache-2.0
#include "dataplane/port/arrival.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>

#include <linux/if_packet.h>
#include <rte_ethdev.h>
#include <sys/socket.h>

namespace foreflow::port {
namespace {

// Which network interface it is bound to; 0: it is no packet socket.
unsigned interface_of(int fd) {
  sockaddr_ll address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return address.sll_family == AF_PACKET ? static_cast<unsigned>(address.sll_ifindex) : 0;
}

// In the order in which they were opened, which is that of the driver's queues.
std::vector<int> packet_sockets_on(unsigned interface) {
  std::vector<int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored)) {
    const std::string name = entry.path().filename();
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && interface_of(fd) == interface) found.push_back(fd);
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

std::vector<int> arrival_fds(std::uint16_t port_id, std::uint16_t rx_queues) {
  rte_eth_dev_info info{};
  if (rte_eth_dev_info_get(port_id, &info) != 0) return {};
  if (std::string_view(info.driver_name) != "net_af_packet" || info.if_index == 0) return {};
  auto found = packet_sockets_on(info.if_index);
  if (found.size() != rx_queues) found.clear();  // another port on the same interface: whose is whose is not known
  return found;
}

}  // namespace foreflow::port
