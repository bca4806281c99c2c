// SPDX-License-Identifier: Apache-2.0
// Preloaded alike into every forwarder of scripts/bench dataplane (testpmd, ovs-vswitchd, foreflow-dataplane): says
// which thread polls each receive queue and how many packets it took, and makes many flows from a small capture.
// It interposes rte_eth_dev_start() and stands first among the receive callbacks.
//
//   FOREFLOW_PROBE_COUNTS      file that receives one cache line per queue: packets, thread, port, queue (u64 each)
//   FOREFLOW_PROBE_VARIATIONS  each packet's TCP or UDP source port is drawn from so many (a power of two, at most
//                              16384) at random; not set: packets are left alone
//   FOREFLOW_PROBE_PASS        the capture has so many packets, whole flows of clients on port 16384: each pass through
//   it
//                              gives all of them another port instead, so that its flows are new
#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <dlfcn.h>
#include <fcntl.h>
#include <rte_ethdev.h>
#include <rte_prefetch.h>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr std::size_t kMostQueues = 64;
constexpr std::uint16_t kFirstPort = 0x4000;
constexpr std::uint32_t kMostVariations = 0x4000;
constexpr std::size_t kSourcePortAt = 14 + 20;  // Ethernet, IPv4 without options
constexpr std::size_t kDestinationPortAt = kSourcePortAt + 2;

struct alignas(64) Queue {  // writer: the thread that polls it
  std::atomic<std::uint64_t> packets;
  std::uint64_t thread;
  std::uint64_t port;
  std::uint64_t queue;
};

struct Source {
  Queue* shown = nullptr;
  std::uint64_t random = 0x9e3779b97f4a7c15;
  std::uint32_t mask = 0;
  std::uint64_t packets_per_pass = 0;
  std::uint64_t at = 0;  // packets of this pass
  std::uint64_t pass = 0;
};

Queue* map_counts() {
  const char* path = std::getenv("FOREFLOW_PROBE_COUNTS");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, kMostQueues * sizeof(Queue)) != 0) return nullptr;
  void* memory = mmap(nullptr, kMostQueues * sizeof(Queue), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return memory == MAP_FAILED ? nullptr : static_cast<Queue*>(memory);
}

std::uint16_t count(std::uint16_t /*port*/, std::uint16_t /*queue*/, rte_mbuf** /*packets*/, std::uint16_t received,
                    std::uint16_t /*most*/, void* context) {
  auto& shown = *static_cast<Source*>(context)->shown;
  if (shown.thread == 0) shown.thread = static_cast<std::uint64_t>(gettid());
  shown.packets.store(shown.packets.load(std::memory_order_relaxed) + received, std::memory_order_relaxed);
  return received;
}

std::uint16_t vary(std::uint16_t port, std::uint16_t queue, rte_mbuf** packets, std::uint16_t received,
                   std::uint16_t most, void* context) {
  auto& source = *static_cast<Source*>(context);
  auto random = source.random;
  for (std::uint16_t i = 0; i < received; ++i) {
    random ^= random << 13;  // xorshift64 (Marsaglia 2003)
    random ^= random >> 7;
    random ^= random << 17;
    const auto drawn = static_cast<std::uint16_t>(kFirstPort | ((random >> 24) & source.mask));
    *rte_pktmbuf_mtod_offset(packets[i], std::uint16_t*, kSourcePortAt) = __builtin_bswap16(drawn);
  }
  source.random = random;
  return count(port, queue, packets, received, most, context);
}

std::uint16_t renew(std::uint16_t port, std::uint16_t queue, rte_mbuf** packets, std::uint16_t received,
                    std::uint16_t most, void* context) {
  auto& source = *static_cast<Source*>(context);
  for (std::uint16_t i = 0; i < received; ++i) {
    const auto drawn = static_cast<std::uint16_t>(kFirstPort | (source.pass & source.mask));
    auto* at = rte_pktmbuf_mtod_offset(packets[i], std::uint16_t*, kSourcePortAt);
    if (__builtin_bswap16(*at) < kFirstPort)
      at = rte_pktmbuf_mtod_offset(packets[i], std::uint16_t*, kDestinationPortAt);
    *at = __builtin_bswap16(drawn);
    if (++source.at == source.packets_per_pass) source.at = 0, ++source.pass;
  }
  return count(port, queue, packets, received, most, context);
}

void attach(std::uint16_t port) {
  static Queue* const counts = map_counts();
  static std::size_t used = 0;
  rte_eth_dev_info info{};
  if (counts == nullptr || rte_eth_dev_info_get(port, &info) != 0) return;
  const char* variations = std::getenv("FOREFLOW_PROBE_VARIATIONS");
  const char* pass = std::getenv("FOREFLOW_PROBE_PASS");
  const auto callback = pass != nullptr ? renew : variations != nullptr ? vary : count;
  for (std::uint16_t queue = 0; queue < info.nb_rx_queues && used < kMostQueues; ++queue, ++used) {
    auto* source = new Source;  // lives as long as the process
    source->shown = &counts[used];
    source->shown->port = port;
    source->shown->queue = queue;
    if (variations != nullptr)
      source->mask = std::bit_floor(std::clamp<std::uint32_t>(std::atoi(variations), 1, kMostVariations)) - 1;
    if (pass != nullptr) source->packets_per_pass = std::strtoull(pass, nullptr, 10);
    if (rte_eth_add_first_rx_callback(port, queue, callback, source) == nullptr)
      std::fprintf(stderr, "probe: no callback on port %u queue %u\n", port, queue);
  }
}

}  // namespace

extern "C" int rte_eth_dev_start(std::uint16_t port) {
  using Start = int (*)(std::uint16_t);
  static const auto next = reinterpret_cast<Start>(dlsym(RTLD_NEXT, "rte_eth_dev_start"));
  const int error = next(port);
  if (error == 0) attach(port);
  return error;
}
