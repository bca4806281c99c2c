// SPDX-License-Identifier: Apache-2.0
// Random but well-formed frames between a few VMs and the world: IPv4 and IPv6, TCP, UDP and others, fragments, frames
// that are not IP. Each carries its number, so that no two are the same.
#pragma once
#include <cstdint>
#include <random>

#include "tests/contract/pipeline/frames.h"

namespace foreflow::pipeline {

class RandomFrames {
 public:
  explicit RandomFrames(std::uint64_t seed) : random_(seed) {}

  std::uint32_t below(std::uint64_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  FrameBytes frame(const MacAddress& source, const MacAddress& destination) {
    const auto size = 64 + below(1'400);
    switch (below(20)) {
      case 0:
        return not_ip(source, destination, size);
      case 1:
      case 2:
      case 3:
        return ipv6(source, destination, size);
      default:
        return ipv4(source, destination, size);
    }
  }

 private:
  static constexpr std::uint8_t kTcp = 6, kUdp = 17, kIcmp = 1;
  static constexpr std::size_t kHeaders = 62;  // of the largest: Ethernet, IPv6, UDP

  std::uint16_t port() {
    static constexpr std::array<std::uint16_t, 6> kPorts{53, 80, 443, 5'000, 6'000, 7'000};
    return kPorts[below(kPorts.size())];
  }
  std::uint8_t protocol() {
    const auto draw = below(10);
    return draw < 5 ? kTcp : draw < 9 ? kUdp : kIcmp;
  }
  void number(FrameBytes& frame, std::size_t at) {
    const auto value = next_++;
    for (std::size_t i = 0; i < 4 && at + i < frame.size(); ++i)
      frame[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }

  FrameBytes ipv4(const MacAddress& source, const MacAddress& destination, std::size_t size) {
    auto frame = make_frame({.source = source,
                             .destination = destination,
                             .source_host = static_cast<std::uint8_t>(1 + below(16)),
                             .destination_host = static_cast<std::uint8_t>(1 + below(16)),
                             .protocol = protocol(),
                             .source_port = port(),
                             .destination_port = port(),
                             .size = size});
    if (below(12) == 0) frame[20] = 0x20;  // more fragments follow
    number(frame, frame.size() - 4);
    return frame;
  }

  FrameBytes ipv6(const MacAddress& source, const MacAddress& destination, std::size_t size) {
    auto frame = ethernet(source, destination, 0x86dd);
    const auto transport = below(2) == 0 ? kTcp : kUdp;
    const auto payload = std::max(size, kHeaders + 20) - 54;
    const auto put16 = [&](std::size_t value) {
      frame.push_back(static_cast<std::uint8_t>(value >> 8));
      frame.push_back(static_cast<std::uint8_t>(value));
    };
    frame.insert(frame.end(), {0x60, 0, 0, 0});
    put16(payload);
    frame.insert(frame.end(), {transport, 64});
    for (int address = 0; address < 2; ++address) {
      frame.insert(frame.end(), {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
      frame.push_back(static_cast<std::uint8_t>(below(8)));
    }
    put16(port());
    put16(port());
    if (transport == kTcp)
      frame.insert(frame.end(), {0, 0, 0, 1, 0, 0, 0, 1, 0x50, kAckFlag, 0xff, 0xff, 0, 0, 0, 0});
    else
      put16(payload), put16(0);
    frame.resize(54 + payload);
    number(frame, frame.size() - 4);
    return frame;
  }

  FrameBytes not_ip(const MacAddress& source, const MacAddress& destination, std::size_t size) {
    auto frame = ethernet(source, destination, 0x88b5);
    frame.resize(size);
    number(frame, 14);
    return frame;
  }

  static FrameBytes ethernet(const MacAddress& source, const MacAddress& destination, std::uint16_t type) {
    FrameBytes frame;
    for (const auto& address : {destination, source})
      frame.insert(frame.end(), address.octets.begin(), address.octets.end());
    frame.push_back(static_cast<std::uint8_t>(type >> 8));
    frame.push_back(static_cast<std::uint8_t>(type));
    return frame;
  }

  std::mt19937_64 random_;
  std::uint32_t next_ = 0;
};

}  // namespace foreflow::pipeline
