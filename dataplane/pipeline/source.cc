// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/source.h"

#include <algorithm>

#include <rte_ethdev.h>

#include "common/log.h"

namespace foreflow::pipeline {

std::size_t LiveSource::receive(std::span<rte_mbuf*, kBurst> packets, std::uint64_t /*now_ns*/) noexcept {
  return rte_eth_rx_burst(port_id_, queue_, packets.data(), kBurst);
}

CaptureSource::~CaptureSource() { rte_pktmbuf_free_bulk(held_.data() + first_, static_cast<unsigned>(end_ - first_)); }

void CaptureSource::fill() noexcept {
  if (first_ != end_ || left_ == 0) return;
  first_ = 0;
  end_ = rte_eth_rx_burst(port_id_, queue_, held_.data(), kBurst);
  left_ -= std::min<std::uint64_t>(left_, end_);
  empty_reads_ = end_ == 0 ? empty_reads_ + 1 : 0;
  if (empty_reads_ == kMostEmptyReads) {
    log::warning("capture ends early", {{"ethdev", port_id_}, {"queue", queue_}, {"missing_packets", left_}});
    left_ = 0;
  }
}

std::size_t CaptureSource::receive(std::span<rte_mbuf*, kBurst> packets, std::uint64_t now_ns) noexcept {
  if (now_ns == 0) return 0;  // not started
  fill();
  std::size_t count = 0;
  while (first_ != end_ && port::capture_time(*held_[first_]) <= now_ns) packets[count++] = held_[first_++];
  return count;
}

std::uint64_t CaptureSource::next_due() noexcept {
  fill();
  if (first_ != end_) return port::capture_time(*held_[first_]);
  return left_ == 0 ? kNever : 0;
}

std::vector<std::unique_ptr<Source>> sources_of(std::uint16_t worker, std::uint16_t workers, const port::Port& port,
                                                config::ClockSource clock) {
  std::vector<std::unique_ptr<Source>> sources;
  for (std::uint16_t queue = 0; queue < port.rx_queues; ++queue) {
    const auto turn = port.rx_queues == workers ? queue : port.id + queue;
    if (turn % workers != worker) continue;
    if (clock == config::ClockSource::kCapture && queue < port.capture_packets.size())
      sources.push_back(std::make_unique<CaptureSource>(port.id, queue, port.capture_packets[queue]));
    else
      sources.push_back(
          std::make_unique<LiveSource>(port.id, queue, queue < port.arrival_fds.size() ? port.arrival_fds[queue] : -1));
  }
  return sources;
}

}  // namespace foreflow::pipeline
