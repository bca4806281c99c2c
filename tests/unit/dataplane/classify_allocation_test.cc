// SPDX-License-Identifier: Apache-2.0
// The packet path must not allocate: every call that takes memory from the heap is counted, OpenSSL's too.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include "common/units.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/flow/flow_table.h"
#include "tests/support/allocations.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/payload_samples.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow {
namespace {

using test::allocations;
using testing::Frame;

class PacketPath : public ::testing::Test {
 protected:
  void SetUp() override {
    auto classifier = classify::Classifier::load(test::kSignatures, test::kSignatureCache);
    ASSERT_TRUE(classifier) << classifier.error().message;
    classifier_ = std::move(*classifier);
    auto inspector = classify::Inspector::create(*classifier_);
    ASSERT_TRUE(inspector);
    inspector_ = std::make_unique<classify::Inspector>(std::move(*inspector));
  }

  std::unique_ptr<const classify::Classifier> classifier_;
  std::unique_ptr<classify::Inspector> inspector_;
};

TEST_F(PacketPath, WhatOpenSslTakesIsCounted) {
  const auto before = allocations();
  EVP_MD_CTX_free(EVP_MD_CTX_new());
  EXPECT_GT(allocations(), before);
}

TEST_F(PacketPath, InspectingDoesNotAllocate) {
  const auto& samples = testing::payload_samples();
  const auto named = testing::tls_client_hello("a.long.name.of.a.host.nflxvideo.net");
  const auto before = allocations();
  for (const auto& sample : samples) inspector_->inspect(*classifier_, {sample.payload, sample.ip_protocol});
  const auto verdict = inspector_->inspect(*classifier_, {named, net::kTcp});
  EXPECT_EQ(allocations(), before);
  EXPECT_NE(verdict.app, 0);
  EXPECT_GT(before, 0u) << "the counter counts";
}

// What each flow says, by turns of its two ends.
std::vector<std::vector<Frame>> conversations() {
  const auto hello = testing::tls_client_hello("www.netflix.com");
  const Frame message(hello.begin() + 5, hello.end());
  const auto half = static_cast<std::ptrdiff_t>(message.size() / 2);
  using testing::text;
  std::vector<std::vector<Frame>> all{
      {Frame(hello.begin(), hello.begin() + 70), {}, Frame(hello.begin() + 70, hello.end())},
      {testing::quic_sample_initial(0, testing::quic_crypto(0, Frame(message.begin(), message.begin() + half))),
       {},
       testing::quic_sample_initial(
           1, testing::quic_crypto(static_cast<std::uint16_t>(half), Frame(message.begin() + half, message.end())))},
      {text("EHLO me.example\r\n"), text("220 mail.example ESMTP Postfix\r\n"), text("STARTTLS\r\n")},
      {testing::tls_client_hello(""), testing::tls_record(22, Frame(400, 2))},
      {Frame(20, 0x5a), Frame(30, 0x5a)}};
  for (const auto& sample : testing::payload_samples()) all.push_back({sample.payload, sample.payload});
  return all;
}

TEST_F(PacketPath, FollowingFlowsToTheirVerdictsDoesNotAllocate) {
  auto engine = classify::FlowClassifier::create({.conversations = 4'096, .assemblies = 64, .fingerprints = true});
  ASSERT_TRUE(engine) << engine.error().message;
  (*engine)->use(*classifier_, *inspector_);
  const auto all = conversations();
  std::size_t decided = 0, hellos = 0;
  std::uint64_t at_start = 0;
  for (int round = 0; round < 3; ++round) {
    if (round == 1) at_start = allocations();  // OpenSSL takes what it keeps when it is first used
    for (std::size_t flow = 0; flow < all.size(); ++flow)
      for (const auto ip_protocol : {net::kTcp, net::kUdp}) {
        classify::FlowEnds ends{.port = {static_cast<std::uint16_t>(1'024 + flow), 53},
                                .ip_protocol = ip_protocol,
                                .vm = static_cast<std::uint16_t>(flow)};
        classify::ConversationId id = 0;
        classify::Verdict verdict;
        std::uint32_t sequences[2]{};
        bool is_final = false;
        for (std::size_t turn = 0; turn < all[flow].size() && !is_final; ++turn) {
          const auto& payload = all[flow][turn];
          const auto sender = static_cast<classify::Side>(turn % 2);
          if (payload.empty()) continue;
          is_final = (*engine)->inspect(id, ends, {payload, sender, sequences[sender], kNanosPerSecond}, verdict);
          hellos += (*engine)->hello() != nullptr ? 1 : 0;
          sequences[sender] += static_cast<std::uint32_t>(payload.size());
        }
        if (!is_final) (*engine)->conclude(id, ends, kNanosPerSecond);
        decided += is_final ? 1 : 0;
      }
  }
  EXPECT_EQ(allocations(), at_start);
  EXPECT_GT(decided, all.size());
  EXPECT_GT(hellos, 0u) << "a fingerprint was among it";
  EXPECT_EQ((*engine)->assemblies_exhausted(), 0u) << "a verdict gives its buffer back";
  EXPECT_EQ((*engine)->conversations_exhausted(), 0u);
}

TEST_F(PacketPath, TheFlowTableAllocatesAtConstructionOnly) {
  flow::FlowTable table({.capacity = 1'000});
  flow::FlowKey key{.vm = 1};
  const auto before = allocations();
  std::uint32_t ended = 0;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    key.local_port = static_cast<std::uint16_t>(i);
    table.find_or_insert(key, i * kNanosPerSecond);
    table.age(i * kNanosPerSecond, 10, [&ended](const flow::FlowRecord&) { ++ended; });
  }
  EXPECT_EQ(allocations(), before);
  EXPECT_GT(ended, 0u);
}

}  // namespace
}  // namespace foreflow
