// SPDX-License-Identifier: Apache-2.0
// An engine with the product's signatures, and flows that talk to it.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "common/units.h"
#include "dataplane/classify/flow_classifier.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/payload_samples.h"

namespace foreflow::classify {

using testing::Frame;

inline net::IpAddress v4(std::uint8_t last) {
  net::IpAddress address;
  address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
  return address;
}

inline Frame bytes(std::string_view text) { return {text.begin(), text.end()}; }

class FlowClassifierTest : public ::testing::Test {
 protected:
  static const Classifier& classifier() {
    static const auto loaded = Classifier::load(test::kSignatures, test::kSignatureCache);
    return **loaded;
  }

  void start(FlowClassifierConfig config = {.conversations = 64}) {
    auto inspector = Inspector::create(classifier());
    ASSERT_TRUE(inspector) << inspector.error().message;
    inspector_ = std::make_unique<Inspector>(std::move(*inspector));
    auto created = FlowClassifier::create(config);
    ASSERT_TRUE(created) << created.error().message;
    engine_ = std::move(*created);
    engine_->use(classifier(), *inspector_);
  }
  void SetUp() override { start(); }

  // One flow, whose client is end 0.
  struct Flow {
    FlowEnds ends;
    ConversationId id = 0;
    Verdict verdict;
    std::uint32_t sequence[2] = {1'000, 0xffff'ff00};  // the server's wraps around
    bool is_final = false;
  };
  static Flow tcp_flow(std::uint16_t client_port, std::uint16_t server_port, std::uint8_t server = 2) {
    return {.ends = {.address = {v4(1), v4(server)}, .port = {client_port, server_port}, .ip_protocol = net::kTcp}};
  }
  static Flow udp_flow(std::uint16_t client_port, std::uint16_t server_port, std::uint8_t server = 2) {
    auto flow = tcp_flow(client_port, server_port, server);
    flow.ends.ip_protocol = net::kUdp;
    return flow;
  }

  bool say(Flow& flow, Side sender, const Frame& payload, std::uint64_t seconds = 1) {
    flow.is_final = engine_->inspect(flow.id, flow.ends,
                                     {payload, sender, flow.sequence[sender], seconds * kNanosPerSecond}, flow.verdict);
    flow.sequence[sender] += static_cast<std::uint32_t>(payload.size());
    return flow.is_final;
  }
  std::string_view protocol(const Flow& flow) const { return classifier().protocol_name(flow.verdict.protocol); }
  std::string_view app(const Flow& flow) const { return classifier().app_name(flow.verdict.app); }

  std::unique_ptr<Inspector> inspector_;
  std::unique_ptr<FlowClassifier> engine_;
};

}  // namespace foreflow::classify
