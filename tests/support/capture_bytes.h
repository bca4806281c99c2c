// SPDX-License-Identifier: Apache-2.0
// Captures of Ethernet frames as bytes, in both formats that are read.
#pragma once
#include <cstdint>
#include <vector>

namespace foreflow::test {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& out, std::uint32_t value) {
  out.push_back(static_cast<std::uint8_t>(value));
  out.push_back(static_cast<std::uint8_t>(value >> 8));
}
inline void put32(Bytes& out, std::uint32_t value) {
  put16(out, value & 0xffff);
  put16(out, value >> 16);
}

// Little-endian; a frame each second.
inline Bytes pcap_of(const std::vector<Bytes>& frames) {
  Bytes out;
  put32(out, 0xa1b2c3d4), put16(out, 2), put16(out, 4);
  for (const std::uint32_t word : {0u, 0u, 65'535u, 1u}) put32(out, word);
  std::uint32_t second = 1'700'000'000;
  for (const auto& frame : frames) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    for (const auto word : {second++, 0u, size, size}) put32(out, word);
    out.insert(out.end(), frame.begin(), frame.end());
  }
  return out;
}

// Section header, interface description and enhanced packet blocks, without options.
inline Bytes pcapng_of(const std::vector<Bytes>& frames) {
  Bytes out;
  const auto block = [&out](std::uint32_t type, const Bytes& body) {
    const auto size = static_cast<std::uint32_t>(body.size() + 12);
    put32(out, type), put32(out, size);
    out.insert(out.end(), body.begin(), body.end());
    put32(out, size);
  };
  Bytes section, interface;
  put32(section, 0x1a2b3c4d), put16(section, 1), put16(section, 0), put32(section, ~0u), put32(section, ~0u);
  block(0x0a0d0d0a, section);
  put16(interface, 1), put16(interface, 0), put32(interface, 65'535);
  block(1, interface);
  std::uint64_t microseconds = 1'700'000'000'000'000;
  for (const auto& frame : frames) {
    const auto size = static_cast<std::uint32_t>(frame.size());
    Bytes body;
    for (const auto word :
         {0u, static_cast<std::uint32_t>(microseconds >> 32), static_cast<std::uint32_t>(microseconds), size, size})
      put32(body, word);
    body.insert(body.end(), frame.begin(), frame.end());
    body.resize((body.size() + 3) / 4 * 4);
    block(6, body);
    microseconds += 1'000'000;
  }
  return out;
}

}  // namespace foreflow::test
