// SPDX-License-Identifier: Apache-2.0
// The packet path written with maps and loops, a packet at a time, as slow and plain as possible: what the real one has
// to count. Covers switching, limits without borrowing, connections, sizes and peaks.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/wire/messages.h"
#include "tests/contract/pipeline/frames.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {

class ReferenceModel {
 public:
  ReferenceModel(const std::vector<TestPort>& ports, wire::DesiredState desired, std::uint16_t workers);

  struct Given {
    FrameSpec spec;
    std::size_t size = 0;  // as put on the port
    bool malformed = false;
    // At the uplink: inside a tunnel of this network, from an end that is known or not.
    std::optional<std::uint32_t> vni = {};
    bool from_stranger = false;
    bool inner_malformed = false;
    Ipv4Address from = {};
  };
  void receive(const std::string& port, const Given& given, std::uint64_t now_ns);

  wire::VmSample expected(VmId vm) const;
  wire::DataplaneSample expected() const;
  wire::PortSample expected(const std::string& port) const { return ports_.at(port).counts; }

 private:
  struct Port {
    bool uplink = false;
    std::size_t largest = 0;  // without a tag
    wire::PortSample counts;
  };
  struct Bucket {
    std::uint64_t rate = 0;
    std::uint64_t burst = 0;
    unsigned __int128 tokens = 0;  // times 1e9
    std::uint64_t last_ns = 0;
  };
  struct Vm {
    std::uint16_t owner = 0;
    wire::VmSpec spec;
    wire::VmSample sample;
    std::map<Direction, Bucket> limits;
    std::map<std::pair<Direction, std::uint64_t>, std::uint64_t> by_ms;  // offered bytes
    std::map<std::pair<Direction, std::uint64_t>, std::uint64_t> by_10ms;
  };
  enum class Tcp : std::uint8_t { kNone, kOpening, kOpen, kClosed };
  using Flow = std::tuple<VmId, Direction, std::uint8_t, std::uint8_t, std::uint8_t, std::uint16_t, std::uint16_t>;

  void drop(wire::DropCause cause, wire::DirectionSample* of = nullptr);
  void from_vm(const std::string& port, const Given& given, std::uint64_t now_ns);
  void from_uplink(const std::string& port, const Given& given, std::uint64_t now_ns);
  void to_vm(Vm& vm, const std::string& port, const FrameSpec& spec, std::size_t size, std::uint64_t now_ns);
  void from_tunnel(const std::string& port, const Given& given, std::uint64_t now_ns);
  void to_all(const std::string& port, Segment segment, const Given& given, std::size_t size, std::uint64_t now_ns);
  bool to_uplink(const Vm& vm, Segment segment, const FrameSpec& spec, std::size_t size, wire::DirectionSample* of);
  std::vector<std::pair<Vm*, std::string>> receivers(Segment segment, const std::string& except);
  Vm* owner_of(const std::string& port, const MacAddress& source, const wire::Attachment*& attachment);
  std::pair<Vm*, const wire::Attachment*> find(Segment segment, const MacAddress& mac);
  void offer(Vm& vm, Direction direction, std::size_t size, std::uint64_t now_ns);
  bool meter(Vm& vm, Direction direction, std::size_t size, std::uint64_t now_ns);
  void follow(Vm& vm, Direction direction, const FrameSpec& spec);
  void send(const std::string& port, std::size_t size);
  static void pass(wire::DirectionSample& of, std::size_t size);

  std::map<std::string, Port> ports_;
  std::map<VmId, Vm> vms_;
  std::map<Flow, Tcp> flows_;
  wire::DataplaneSample total_;
  std::string uplink_;
  std::optional<wire::TunnelSpec> tunnel_;
  // Each worker learns from what reaches its VMs.
  std::uint16_t workers_;
  std::map<std::tuple<std::uint16_t, Segment, MacAddress>, Ipv4Address> whereabouts_;
};

}  // namespace foreflow::pipeline
