// SPDX-License-Identifier: Apache-2.0
// Where a worker's packets come from: a receive queue, at once or at the time the capture says.
// Place: dataplane/pipeline. One worker owns a source.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <rte_mbuf.h>

#include "dataplane/config/config.h"
#include "dataplane/pipeline/outbox.h"
#include "dataplane/pipeline/timeline.h"
#include "dataplane/port/port.h"

namespace foreflow::pipeline {

class Source {
 public:
  virtual ~Source() = default;
  // At most kBurst packets that are due at `now_ns`.
  virtual std::size_t receive(std::span<rte_mbuf*, kBurst> packets, std::uint64_t now_ns) noexcept = 0;
  // When the next packet is due, as far as that is known in advance: a live queue says kNever.
  virtual std::uint64_t next_due() noexcept { return kNever; }
  // Readable as long as there are packets; -1: the device has no such.
  virtual int arrival_fd() const noexcept { return -1; }
  virtual std::uint16_t port_id() const noexcept = 0;
};

class LiveSource final : public Source {
 public:
  LiveSource(std::uint16_t port_id, std::uint16_t queue, int arrival_fd)
      : port_id_(port_id), queue_(queue), arrival_fd_(arrival_fd) {}
  std::size_t receive(std::span<rte_mbuf*, kBurst> packets, std::uint64_t now_ns) noexcept override;
  int arrival_fd() const noexcept override { return arrival_fd_; }
  std::uint16_t port_id() const noexcept override { return port_id_; }

 private:
  std::uint16_t port_id_;
  std::uint16_t queue_;
  int arrival_fd_;
};

// Holds a capture's packets back until their time. A packet without a time is due at once, after the start.
class CaptureSource final : public Source {
 public:
  // `packet_count`: the device gives no sign when the file has ended, so its packets are counted.
  CaptureSource(std::uint16_t port_id, std::uint16_t queue, std::uint64_t packet_count)
      : port_id_(port_id), queue_(queue), left_(packet_count) {}
  ~CaptureSource() override;
  std::size_t receive(std::span<rte_mbuf*, kBurst> packets, std::uint64_t now_ns) noexcept override;
  std::uint64_t next_due() noexcept override;  // kNever: the capture has ended
  std::uint16_t port_id() const noexcept override { return port_id_; }

 private:
  // A file that delivers fewer packets than were counted (cut off, no buffers) has ended after as many empty reads.
  static constexpr std::uint32_t kMostEmptyReads = 1000;
  void fill() noexcept;

  std::uint16_t port_id_;
  std::uint16_t queue_;
  std::uint64_t left_;
  std::uint32_t empty_reads_ = 0;
  std::array<rte_mbuf*, kBurst> held_;
  std::size_t first_ = 0;
  std::size_t end_ = 0;
};

// The queues of a port that worker `worker` polls: queue q of a port with one queue per worker is q's; otherwise queues
// are dealt out by the port's id, so that ports with one queue do not all meet at worker 0. Other ports that come or go
// change nothing: a queue is polled by one worker for the port's life.
std::vector<std::unique_ptr<Source>> sources_of(std::uint16_t worker, std::uint16_t workers, const port::Port& port,
                                                config::ClockSource clock);

}  // namespace foreflow::pipeline
