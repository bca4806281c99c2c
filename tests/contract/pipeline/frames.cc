// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/pipeline/frames.h"

#include <algorithm>
#include <span>

namespace foreflow::pipeline {
namespace {

void put16(FrameBytes& frame, std::size_t value) {
  frame.push_back(static_cast<std::uint8_t>(value >> 8));
  frame.push_back(static_cast<std::uint8_t>(value));
}

void put_ip(FrameBytes& frame, const FrameSpec& spec, std::size_t total) {
  put16(frame, 0x4500);
  put16(frame, total);
  put16(frame, 1);
  put16(frame, 0x4000);
  frame.push_back(64);
  frame.push_back(spec.protocol);
  put16(frame, 0);
  for (const auto host : {spec.source_host, spec.destination_host}) frame.insert(frame.end(), {10, 0, 0, host});
}

}  // namespace

FrameBytes make_frame(const FrameSpec& spec) {
  const std::size_t transport = spec.protocol == 6 ? 20 : 8;
  const std::size_t headers = 14 + (spec.vlan != 0 ? 4u : 0u) + 20 + transport;
  const auto payload = std::max(spec.payload.size(), spec.size > headers ? spec.size - headers : 0);
  FrameBytes frame;
  for (const auto& address : {spec.destination, spec.source})
    frame.insert(frame.end(), address.octets.begin(), address.octets.end());
  if (spec.vlan != 0) {
    put16(frame, 0x8100);
    put16(frame, spec.vlan);
  }
  put16(frame, 0x0800);
  put_ip(frame, spec, 20 + transport + payload);
  put16(frame, spec.source_port);
  put16(frame, spec.destination_port);
  if (spec.protocol == 6) {
    put16(frame, spec.tcp_sequence >> 16);
    put16(frame, spec.tcp_sequence);
    frame.insert(frame.end(), {0, 0, 0, 1, 0x50, spec.tcp_flags, 0xff, 0xff, 0, 0, 0, 0});
  } else {
    put16(frame, 8 + payload);
    put16(frame, 0);
  }
  frame.insert(frame.end(), spec.payload.begin(), spec.payload.end());
  frame.resize(headers + payload);
  return frame;
}

FrameBytes make_overlay(const net::TunnelEnd& from, Ipv4Address to, std::uint32_t vni, const FrameBytes& inner) {
  FrameBytes frame(net::kOuterSize);
  net::write_outer(std::span(frame).first<net::kOuterSize>(), from, to, vni, inner.size(), 7);
  frame.insert(frame.end(), inner.begin(), inner.end());
  return frame;
}

}  // namespace foreflow::pipeline
