// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/pipeline/testbed.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <numeric>
#include <stdexcept>
#include <tuple>

#include <fmt/format.h>
#include <rte_eth_ring.h>

namespace foreflow::pipeline {
namespace {

constexpr unsigned kRingSize = 4096;
int test_beds = 0;  // names of rings and pools are unique per process

void must(bool held, const std::string& what) {
  if (!held) throw std::runtime_error(what);
}

config::Config config_for(std::uint16_t workers) {
  config::Config config;
  config.workers = workers;
  config.eal = {.hugepages = false, .memory_mb = 64};  // decides how many packet buffers there are
  return config;
}

}  // namespace

RingPort::RingPort(const std::string& name, std::uint16_t receive_queues, std::uint16_t transmit_queues) {
  const auto make = [&](const char* way, std::uint16_t queue) {
    auto* ring = rte_ring_create(fmt::format("{}_{}{}", name, way, queue).c_str(), kRingSize, SOCKET_ID_ANY, 0);
    must(ring != nullptr, "ring");
    return ring;
  };
  for (std::uint16_t queue = 0; queue < receive_queues; ++queue) receive.push_back(make("rx", queue));
  for (std::uint16_t queue = 0; queue < transmit_queues; ++queue) transmit.push_back(make("tx", queue));
  must(rte_eth_from_rings(name.c_str(), receive.data(), receive_queues, transmit.data(), transmit_queues, 0) >= 0,
       "ring port");
  device = "net_ring_" + name;
}

RingPort::~RingPort() {
  for (auto* ring : transmit) sent(*ring);
  for (auto* ring : receive) rte_ring_free(ring);
  for (auto* ring : transmit) rte_ring_free(ring);
}

std::vector<FrameBytes> RingPort::sent(rte_ring& ring) {
  std::vector<FrameBytes> frames;
  void* packet = nullptr;
  while (rte_ring_dequeue(&ring, &packet) == 0) {
    auto* mbuf = static_cast<rte_mbuf*>(packet);
    auto& frame = frames.emplace_back();
    for (const auto* part = mbuf; part != nullptr; part = part->next) {
      const auto* bytes = rte_pktmbuf_mtod(part, const std::uint8_t*);
      frame.insert(frame.end(), bytes, bytes + rte_pktmbuf_data_len(part));
    }
    rte_pktmbuf_free(mbuf);
  }
  return frames;
}

Testbed::Testbed(std::uint16_t workers, const std::vector<TestPort>& ports, const config::ClockConfig& clock,
                 std::unique_ptr<offload::OffloadBackend> device, const classify::FlowClassifierConfig& classify,
                 std::uint32_t flows)
    : bed_(test_beds++), workers_(workers), enforcer_(std::move(device)) {
  auto started = port::Ports::start(config_for(workers));
  must(started.has_value(), started ? "" : started.error().message);
  devices_.emplace(std::move(*started));
  for (const auto& spec : ports) {
    const auto added = devices_->add(make_port(spec));
    must(added.has_value(), added ? "" : added.error().message);
  }
  auto engine = Engine::create(
      {.workers = workers, .flows = {.capacity = flows, .most_per_vm = 2048}, .clock = clock, .classify = classify},
      devices_->pool());
  must(engine.has_value(), engine ? "" : engine.error().message);
  engine_ = std::move(*engine);
  std::vector<std::uint16_t> ids;
  for (const auto& port : devices_->all()) ids.push_back(port.id);
  enforcer_.probe(ids);
  configurator_ = std::make_unique<Configurator>(*engine_, enforcer_, devices_->all());
  reporter_ = std::make_unique<Reporter>(*engine_, enforcer_, *configurator_);
  changes_ = std::make_unique<PortChanges>(*devices_, *engine_, *configurator_, enforcer_);
}

Testbed::~Testbed() {
  engine_.reset();
  while (!devices_->all().empty()) std::ignore = devices_->remove(std::string(devices_->all().front().name));
}

config::PortConfig Testbed::make_port(const TestPort& spec) {
  auto& rings = rings_[spec.name];
  rings = std::make_unique<RingPort>(fmt::format("bed{}_{}", bed_, spec.name), workers_,
                                     static_cast<std::uint16_t>(workers_ * (1 + spec.queue_groups)));
  return {.name = spec.name,
          .device = rings->device,
          .role = spec.role,
          .queue_groups = spec.queue_groups,
          .mtu = spec.mtu};
}

void Testbed::free_rings(const std::string& port) { rings_.erase(port); }

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

void Testbed::put(const std::string& port, std::uint16_t queue, const FrameBytes& frame, std::size_t piece,
                  std::uint64_t offloads) {
  rte_mbuf* packet = nullptr;
  for (std::size_t at = 0; packet == nullptr || at < frame.size(); at += piece) {
    auto* part = rte_pktmbuf_alloc(devices_->pool());
    must(part != nullptr, "packet buffer");
    const auto size = std::min(piece, frame.size() - at);
    std::memcpy(rte_pktmbuf_append(part, static_cast<std::uint16_t>(size)), frame.data() + at, size);
    must(packet == nullptr || rte_pktmbuf_chain(packet, part) == 0, "too many pieces");
    if (packet == nullptr) packet = part;
  }
  packet->ol_flags |= offloads;
  must(rte_ring_enqueue(rings_.at(port)->receive[queue % workers_], packet) == 0, "receive ring is full");
}

void Testbed::run() {
  for (std::size_t handled = 1; handled != 0;) {
    handled = 0;
    for (std::uint16_t worker = 0; worker < workers_; ++worker) handled += engine_->poll(worker, now_ns_);
  }
}

std::vector<FrameBytes> Testbed::sent(const std::string& port) {
  std::vector<FrameBytes> frames;
  for (auto* ring : rings_.at(port)->transmit) {
    auto more = RingPort::sent(*ring);
    frames.insert(frames.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
  }
  return frames;
}

std::vector<FrameBytes> Testbed::sent(const std::string& port, std::size_t group) {
  std::vector<FrameBytes> frames;
  for (std::size_t worker = 0; worker < workers_; ++worker) {
    auto more = RingPort::sent(*rings_.at(port)->transmit.at(group * workers_ + worker));
    frames.insert(frames.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
  }
  return frames;
}

const port::Port& Testbed::find(const std::string& name) const {
  const auto* port = devices_->find(name);
  if (port == nullptr) throw std::runtime_error("no port " + name);
  return *port;
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
