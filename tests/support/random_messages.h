// SPDX-License-Identifier: Apache-2.0
// Random but valid wire messages from a fixed seed, for property tests.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "common/wire/messages.h"

namespace foreflow::test {

class RandomMessages {
 public:
  explicit RandomMessages(std::uint64_t seed) : random_(seed) {}

  wire::Report report() {
    wire::Report report;
    report.sequence = 1 + below(1'000'000);
    report.time = UnixNanos{static_cast<std::int64_t>(random_())};
    report.interval_ns = any();
    report.dataplane = {any(), any(), any(), any(), any(), counters<wire::kDropCauses>(), any(), any(), any()};
    for (auto n = below(20); n > 0; --n) report.vms.push_back(vm_sample());
    for (auto n = below(wire::kMostFlows + 1); n > 0; --n) report.top_flows.push_back(flow());
    for (auto n = below(30); n > 0; --n)
      report.intents.push_back({IntentId{any()}, any(), any(), any(), any(), flag()});
    for (auto n = below(8); n > 0; --n) {
      report.ports.push_back({"port" + text(8), any(), any(), any(), any(), any(), any(), {}});
      for (std::uint8_t queue = 0; queue < wire::kQueues; ++queue)
        if (flag()) report.ports.back().queues.push_back({queue, any(), any(), any(), any(), any(), any(), any()});
    }
    return report;
  }

  wire::Hello hello() {
    wire::Hello hello;
    hello.dataplane = "dp-" + text(20);
    hello.version = text(20);
    hello.boot_id = 1 + below(1'000'000'000);
    hello.applied = Generation{any()};
    hello.capabilities = {static_cast<wire::Lending>(below(3)), flag(), text(100)};
    for (auto n = below(8); n > 0; --n) hello.ports.push_back({"port" + text(8), text(8), mac(), flag(), flag()});
    return hello;
  }

  wire::Applied applied() {
    wire::Applied applied{.generation = Generation{any()}};
    for (auto n = below(30); n > 0; --n)
      applied.results.push_back({IntentId{any()}, static_cast<wire::Placement>(below(3)), text(60),
                                 BytesPerSecond{any()}, BytesPerSecond{any()}});
    return applied;
  }

  wire::Event event() { return {UnixNanos{static_cast<std::int64_t>(random_())}, "kind" + text(10), text(500)}; }

  wire::DesiredState desired() {
    wire::DesiredState desired{.generation = Generation{any()}};
    for (auto n = below(4); n > 0; --n)
      desired.uplinks.push_back(
          {"uplink" + text(5), {BytesPerSecond{any()}, BytesPerSecond{any()}}, tunnel(), queueing()});
    for (std::uint32_t i = 0, n = below(20); i < n; ++i)
      desired.vms.push_back({VmId{i}, "vm" + text(10), attachments(), flag(), text(12)});
    for (std::uint64_t i = 0, n = below(40); i < n; ++i) {
      auto& intent = desired.intents.emplace_back();
      intent.id = IntentId{i};
      intent.priority = static_cast<std::uint32_t>(random_());
      intent.demand = static_cast<wire::Demand>(below(3));
      if (below(3) == 0)
        intent.what = wire::Bypass{VmId{below(5000)}, std::nullopt, any(), 1 + below(1'000)};
      else if (flag())
        intent.what = police();
      else
        intent.what = treatment();
    }
    for (auto n = below(4); n > 0; --n)
      desired.groups.push_back({"group" + text(5),
                                {BytesPerSecond{any()}, BytesPerSecond{any()}},
                                {Bytes{any() >> 24}, Bytes{any() >> 24}}});
    desired.signature_set = text(20);
    desired.signature_revision = any();
    return desired;
  }

  std::string bytes(std::size_t most) {
    std::string result(below(most + 1), '\0');
    for (auto& byte : result) byte = static_cast<char>(random_());
    return result;
  }

  std::uint32_t below(std::uint64_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

 private:
  // Small and large alike: varints of every length.
  std::uint64_t any() { return random_() >> below(64); }
  bool flag() { return below(2) == 1; }
  std::string text(std::size_t most) {
    static const std::vector<std::string> kCharacters{"a", "Z", "0", ".", " ", "\"", "\n", "é", "語", "😀"};
    std::string result;
    while (result.size() + 4 <= most && below(12) != 0) result += kCharacters[below(kCharacters.size())];
    return result;
  }
  MacAddress mac() {
    MacAddress mac;
    for (auto& octet : mac.octets) octet = static_cast<std::uint8_t>(random_());
    return mac;
  }
  template <std::size_t N>
  std::array<std::uint64_t, N> counters() {
    std::array<std::uint64_t, N> values{};
    for (auto& value : values) value = any();
    return values;
  }
  wire::DirectionSample direction() {
    wire::DirectionSample sample{any(), any(), any(), any(), counters<wire::kDropCauses>()};
    sample.peak_10ms_bytes = flag() ? std::optional(any()) : std::nullopt;
    sample.limited = flag();
    sample.app_bytes = counters<kCategories>();
    sample.peak_1ms_bytes = flag() ? std::optional(any()) : std::nullopt;
    sample.sizes = counters<wire::kSizeClasses>();
    sample.delayed_packets = any();
    sample.marked_packets = any();
    return sample;
  }
  wire::VmSample vm_sample() {
    return {VmId{below(5000)},
            {direction(), direction()},
            below(1'000),
            below(1'000'000),
            below(1'000),
            below(1'000),
            any()};
  }
  std::optional<wire::TunnelSpec> tunnel() {
    if (flag()) return std::nullopt;
    wire::TunnelSpec tunnel{static_cast<wire::TunnelKind>(below(2)), ipv4(), mac()};
    tunnel.udp_port = static_cast<std::uint16_t>(1 + below(65'535));
    for (auto n = below(4); n > 0; --n) tunnel.remotes.push_back(ipv4());
    return tunnel;
  }
  std::optional<wire::Queueing> queueing() {
    if (flag()) return std::nullopt;
    wire::Queueing queueing{.longest_us = 1 + below(wire::kLongestQueueUs)};
    for (auto& queue : queueing.queues) queue = {flag(), 1 + below(wire::kLargestQueueWeight)};
    return queueing;
  }
  Ipv4Address ipv4() {
    Ipv4Address address;
    for (auto& octet : address.octets) octet = static_cast<std::uint8_t>(random_());
    return address;
  }
  wire::FlowSample flow() {
    wire::FlowSample flow;
    flow.vm = VmId{below(5000)};
    flow.local = "10.0.0.1:" + std::to_string(below(65536));
    flow.remote = "[2001:db8::1]:" + std::to_string(below(65536));
    flow.transport = flag() ? "tcp" : "udp";
    flow.protocol = text(20);
    flow.category = static_cast<Category>(below(kCategories));
    flow.app = text(60);
    flow.confidence = static_cast<std::uint8_t>(below(101));
    flow.bytes = {any(), any()};
    flow.age_seconds = below(1'000'000);
    flow.source = text(10);
    flow.behaviour = text(10);
    flow.fingerprint = text(36);
    flow.encrypted_hello = flag();
    return flow;
  }
  std::vector<wire::Attachment> attachments() {
    std::vector<wire::Attachment> result;
    for (auto n = below(4); n > 0; --n) {
      const auto segment = flag() ? below(4095) : Segment::kVniBase + below(1u << 24);
      result.push_back({"port" + text(8), mac(), Segment{segment}});
    }
    return result;
  }
  wire::Police police() {
    const auto cir = any();
    const auto pir = std::max(cir, any());
    return {VmId{below(5000)},   static_cast<Direction>(below(2)),
            BytesPerSecond{cir}, BytesPerSecond{pir},
            Bytes{any() >> 24},  Bytes{any() >> 24},
            below(1000),         any(),
            any() >> 24,         flag()};
  }
  wire::TrafficMatch match() {
    wire::TrafficMatch match{.ip_protocol = static_cast<std::uint8_t>(below(256))};
    if (match.ip_protocol == 6 || match.ip_protocol == 17) {
      match.local_port = static_cast<std::uint16_t>(random_());
      match.remote_port = static_cast<std::uint16_t>(random_());
    }
    match.remote = ipv4();
    match.remote_prefix = static_cast<std::uint8_t>(below(33));
    if (flag()) match.category = static_cast<Category>(below(kCategories));
    return match;
  }
  wire::Treatment treatment() {
    wire::Treatment treatment{.vm = VmId{below(5000)}, .direction = static_cast<Direction>(below(2)), .match = match()};
    treatment.drop = flag();
    if (flag()) treatment.dscp = static_cast<std::uint8_t>(below(64));
    if (flag()) treatment.mirror = wire::Mirror{"port" + text(8), 1 + below(1'000)};
    if (flag()) treatment.steer_port = "port" + text(8);
    treatment.queue_group = static_cast<std::uint8_t>(below(wire::kMostQueueGroups + 1));
    if (flag()) treatment.queue = static_cast<std::uint8_t>(below(wire::kQueues));
    treatment.idle_seconds = below(1u << 24);
    return treatment;
  }

  std::mt19937_64 random_;
};

}  // namespace foreflow::test
