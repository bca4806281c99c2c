// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/pipeline/testbed.h"

#include <cstring>
#include <numeric>
#include <stdexcept>

#include <fmt/format.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

namespace foreflow::pipeline {
namespace {

constexpr unsigned kRingSize = 4096;
int test_beds = 0;  // names of rings and pools are unique per process

void must(bool held, const std::string& what) {
  if (!held) throw std::runtime_error(what);
}

}  // namespace

Testbed::Testbed(std::uint16_t workers, const std::vector<TestPort>& ports, const config::ClockConfig& clock)
    : workers_(workers) {
  const int bed = test_beds++;
  pool_ = rte_pktmbuf_pool_create(fmt::format("pool{}", bed).c_str(), 16383, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
                                  SOCKET_ID_ANY);
  must(pool_ != nullptr, "pool");
  for (const auto& spec : ports) {
    auto& rings = rings_.emplace_back();
    const auto name = fmt::format("bed{}_{}", bed, spec.name);
    for (std::uint16_t queue = 0; queue < workers; ++queue) {
      const auto make = [&](const char* way) {
        auto* ring = rte_ring_create(fmt::format("{}_{}{}", name, way, queue).c_str(), kRingSize, SOCKET_ID_ANY, 0);
        must(ring != nullptr, "ring");
        return ring;
      };
      rings.receive.push_back(make("rx"));
      rings.transmit.push_back(make("tx"));
    }
    const int id = rte_eth_from_rings(name.c_str(), rings.receive.data(), workers, rings.transmit.data(), workers, 0);
    must(id >= 0, "ring port");
    port::Port port{.id = static_cast<std::uint16_t>(id), .name = spec.name, .driver = "net_ring", .role = spec.role};
    port.rx_queues = port.tx_queues = workers;
    port.largest_frame = spec.mtu + 18;
    const rte_eth_conf conf{};
    must(rte_eth_dev_configure(port.id, workers, workers, &conf) == 0, "configure");
    for (std::uint16_t queue = 0; queue < workers; ++queue) {
      must(rte_eth_rx_queue_setup(port.id, queue, 64, 0, nullptr, pool_) == 0, "receive queue");
      must(rte_eth_tx_queue_setup(port.id, queue, 64, 0, nullptr) == 0, "transmit queue");
    }
    must(rte_eth_dev_start(port.id) == 0, "start");
    ports_.push_back(port);
  }
  auto engine = Engine::create({.workers = workers, .flows = {.capacity = 4096, .most_per_vm = 2048}, .clock = clock},
                               ports_, pool_);
  must(engine.has_value(), engine ? "" : engine.error().message);
  engine_ = std::move(*engine);
  configurator_ = std::make_unique<Configurator>(*engine_, enforcer_, ports_);
  reporter_ = std::make_unique<Reporter>(*engine_, enforcer_, *configurator_);
}

Testbed::~Testbed() {
  engine_.reset();
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    sent(ports_[i].name);
    rte_eth_dev_stop(ports_[i].id);
    rte_eth_dev_close(ports_[i].id);
    for (auto* ring : rings_[i].receive) rte_ring_free(ring);
    for (auto* ring : rings_[i].transmit) rte_ring_free(ring);
  }
  rte_mempool_free(pool_);
}

wire::Applied Testbed::apply(const wire::DesiredState& desired) {
  configurator_->begin(desired);
  reporter_->follow();
  run();
  auto applied = configurator_->finish();
  must(applied.has_value(), "the grace period does not end");
  return *applied;
}

void Testbed::use(std::shared_ptr<Signatures> signatures) {
  configurator_->use(std::move(signatures));
  run();
  configurator_->finish();
}

void Testbed::put(const std::string& port, std::uint16_t queue, const FrameBytes& frame) {
  auto* packet = rte_pktmbuf_alloc(pool_);
  must(packet != nullptr, "packet buffer");
  std::memcpy(rte_pktmbuf_append(packet, static_cast<std::uint16_t>(frame.size())), frame.data(), frame.size());
  const auto index = static_cast<std::size_t>(&find(port) - ports_.data());
  must(rte_ring_enqueue(rings_[index].receive[queue % workers_], packet) == 0, "receive ring is full");
}

void Testbed::run() {
  for (std::size_t handled = 1; handled != 0;) {
    handled = 0;
    for (std::uint16_t worker = 0; worker < workers_; ++worker) handled += engine_->poll(worker, now_ns_);
  }
}

std::vector<FrameBytes> Testbed::sent(const std::string& port) {
  std::vector<FrameBytes> frames;
  const auto index = static_cast<std::size_t>(&find(port) - ports_.data());
  for (auto* ring : rings_[index].transmit) {
    void* packet = nullptr;
    while (rte_ring_dequeue(ring, &packet) == 0) {
      auto* mbuf = static_cast<rte_mbuf*>(packet);
      const auto* bytes = rte_pktmbuf_mtod(mbuf, const std::uint8_t*);
      frames.emplace_back(bytes, bytes + rte_pktmbuf_data_len(mbuf));
      rte_pktmbuf_free(mbuf);
    }
  }
  return frames;
}

const port::Port& Testbed::find(const std::string& name) const {
  for (const auto& port : ports_)
    if (port.name == name) return port;
  throw std::runtime_error("no port " + name);
}

const wire::VmSample& sample_of(const wire::Report& report, VmId vm) {
  for (const auto& sample : report.vms)
    if (sample.vm == vm) return sample;
  throw std::runtime_error(fmt::format("no sample of VM {}", vm.value));
}

std::uint64_t sum(const std::array<std::uint64_t, wire::kDropCauses>& drops) {
  return std::accumulate(drops.begin(), drops.end(), std::uint64_t{0});
}

}  // namespace foreflow::pipeline
