// SPDX-License-Identifier: Apache-2.0
// Connections and applications, with the two directions of a flow on different queues and ports.
#include <stdexcept>

#include <gtest/gtest.h>

#include "support/source_paths.h"
#include "tests/contract/pipeline/testbed.h"
#include "tests/support/signatures.h"

namespace foreflow::pipeline {
namespace {

constexpr VmId kWeb{1};
constexpr MacAddress kGateway = mac(0xfe);

class Flows : public testing::TestWithParam<std::uint16_t> {
 protected:
  Flows() : bed_(GetParam(), {{"spare"}, {"web"}, {"uplink", config::PortRole::kUplink}}) {
    wire::DesiredState desired;
    desired.vms = {{VmId{9}, "spare", {{"spare", mac(9), Segment{0}}}}, {kWeb, "web", {{"web", mac(1), Segment{0}}}}};
    bed_.apply(desired);
    bed_.use(signatures());
    bed_.report();
  }

  // Compiled once, with scratch space for as many workers as any test has.
  static std::shared_ptr<Signatures> signatures() {
    static const auto compiled = load_signatures(test::kSignatures, test::kSignatureCache, 3);
    if (!compiled) throw std::runtime_error(compiled.error().message);
    return *compiled;
  }

  void from_client(std::uint8_t flags, std::string_view payload = {}) {
    bed_.put("uplink", queue_++,
             make_frame({.source = kGateway,
                         .destination = mac(1),
                         .source_host = 7,
                         .destination_host = 1,
                         .protocol = 6,
                         .source_port = 40'000,
                         .destination_port = 8080,
                         .tcp_flags = flags,
                         .payload = payload}));
    bed_.run();
  }
  void from_server(std::uint8_t flags, std::string_view payload = {}) {
    bed_.put("web", queue_++,
             make_frame({.source = mac(1),
                         .destination = kGateway,
                         .source_host = 1,
                         .destination_host = 7,
                         .protocol = 6,
                         .source_port = 8080,
                         .destination_port = 40'000,
                         .tcp_flags = flags,
                         .payload = payload}));
    bed_.run();
  }
  wire::Report report_with_flows() {
    for (const auto& worker : bed_.engine().workers()) worker->top_flows().request();
    for (int round = 0; round < 200; ++round) bed_.run();
    return bed_.report();
  }

  Testbed bed_;
  std::uint16_t queue_ = 0;
};

TEST_P(Flows, AConnectionIsCountedFromItsSynToItsLastFin) {
  from_client(kSynFlag);
  from_server(kSynFlag | kAckFlag);
  from_client(kAckFlag);
  auto sample = sample_of(bed_.report(), kWeb);
  EXPECT_EQ(sample.connections_opened, 1u);
  EXPECT_EQ(sample.connections_active, 1u);
  from_client(kFinFlag | kAckFlag);
  from_server(kFinFlag | kAckFlag);
  sample = sample_of(bed_.report(), kWeb);
  EXPECT_EQ(sample.connections_opened, 0u);
  EXPECT_EQ(sample.connections_active, 0u);
}

TEST_P(Flows, AnHttpRequestNamesTheFlowInBothDirections) {
  from_client(kSynFlag);
  from_server(kSynFlag | kAckFlag);
  from_client(kAckFlag, "GET /index.html HTTP/1.1\r\nHost: example.org\r\nUser-Agent: test\r\n\r\n");
  from_server(kAckFlag, "HTTP/1.1 200 OK\r\nServer: test\r\nContent-Length: 2\r\n\r\nok");
  const auto report = report_with_flows();
  const auto& sample = sample_of(report, kWeb);
  for (const auto& direction : sample.directions) EXPECT_GT(direction.app_bytes[index(Category::kWeb)], 0u);
  ASSERT_EQ(report.top_flows.size(), 1u);
  const auto& flow = report.top_flows[0];
  EXPECT_EQ(flow.vm, kWeb);
  EXPECT_EQ(flow.local, "10.0.0.1:8080");
  EXPECT_EQ(flow.remote, "10.0.0.7:40000");
  EXPECT_EQ(flow.transport, "tcp");
  EXPECT_EQ(flow.category, Category::kWeb);
  EXPECT_EQ(flow.bytes[index(Direction::kEgress)], sample.directions[index(Direction::kEgress)].passed_bytes);
}

TEST_P(Flows, AUdpFlowIsOneConnection) {
  for (int i = 0; i < 3; ++i) {
    bed_.put("uplink", static_cast<std::uint16_t>(i), make_frame({.source = kGateway, .destination = mac(1)}));
    bed_.run();
  }
  const auto report = bed_.report();
  EXPECT_EQ(sample_of(report, kWeb).connections_opened, 1u);
  EXPECT_EQ(sample_of(report, kWeb).connections_active, 1u);
}

TEST_P(Flows, AnIdleUdpFlowEnds) {
  bed_.put("uplink", 0, make_frame({.source = kGateway, .destination = mac(1)}));
  bed_.run_at(Testbed::kSecond);
  for (std::uint64_t second = 2; second < 120; ++second) bed_.run_at(second * Testbed::kSecond);
  EXPECT_EQ(sample_of(bed_.report(), kWeb).connections_active, 0u);
}

INSTANTIATE_TEST_SUITE_P(Workers, Flows, testing::Values(1, 3));

}  // namespace
}  // namespace foreflow::pipeline
