// SPDX-License-Identifier: Apache-2.0
// Applications told by more than one payload, with the packets of a flow on different queues.
#include <algorithm>
#include <map>
#include <memory>
#include <stdexcept>

#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"
#include "tests/support/allocations.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/payload_samples.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow::pipeline {
namespace {

using foreflow::testing::Frame;

constexpr MacAddress kGateway = mac(0xfe);
constexpr std::ptrdiff_t kCut = 70;  // of a hello, before the server's name

std::shared_ptr<Signatures> fresh_signatures() {
  auto loaded = load_signatures(test::kSignatures, test::kSignatureCache, 3);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return std::move(*loaded);
}

Frame first_part(const Frame& payload) { return {payload.begin(), payload.begin() + kCut}; }
Frame second_part(const Frame& payload) { return {payload.begin() + kCut, payload.end()}; }

// A flow from a VM to a host behind the uplink.
struct Dialogue {
  std::uint8_t vm = 1;  // and the last octet of its address
  std::uint8_t remote = 7;
  std::uint8_t protocol = 6;
  std::uint16_t local_port = 40'000;
  std::uint16_t remote_port = 30'000;
  std::uint32_t sequences[2] = {0xffff'ffe0, 1'000};  // the VM's wraps around
};

class ClassifyingTest : public ::testing::TestWithParam<std::uint16_t> {
 protected:
  void start(const classify::FlowClassifierConfig& config = {}) {
    bed_.reset();  // its names are taken
    bed_ = std::make_unique<Testbed>(GetParam(), std::vector<TestPort>{{"vms"}, {"uplink", config::PortRole::kUplink}},
                                     config::ClockConfig{}, nullptr, config);
    bed_->apply(two_vms());
    static const auto shared = fresh_signatures();
    bed_->use(shared);
    bed_->report();
  }
  void SetUp() override { start(); }

  static wire::DesiredState two_vms() {
    wire::DesiredState desired;
    desired.vms = {{VmId{1}, "one", {{"vms", mac(1), Segment{0}}}}, {VmId{2}, "two", {{"vms", mac(2), Segment{0}}}}};
    return desired;
  }

  void put(Dialogue& flow, bool from_vm, const Frame& payload, std::uint8_t flags) {
    auto& sequence = flow.sequences[from_vm ? 0 : 1];
    FrameSpec spec{.source = mac(flow.vm),
                   .destination = kGateway,
                   .source_host = flow.vm,
                   .destination_host = flow.remote,
                   .protocol = flow.protocol,
                   .source_port = flow.local_port,
                   .destination_port = flow.remote_port,
                   .tcp_flags = flags,
                   .tcp_sequence = sequence,
                   .payload = {reinterpret_cast<const char*>(payload.data()), payload.size()}};
    if (!from_vm) {
      std::swap(spec.source, spec.destination);
      std::swap(spec.source_host, spec.destination_host);
      std::swap(spec.source_port, spec.destination_port);
    }
    sequence += static_cast<std::uint32_t>(payload.size()) + ((flags & kSynFlag) != 0 ? 1 : 0);
    bed_->put(from_vm ? "vms" : "uplink", queue_++, make_frame(spec));
    ++put_;
  }
  void say(Dialogue& flow, const Frame& payload, std::uint8_t flags = kAckFlag) {
    put(flow, true, payload, flags);
    bed_->run();
  }
  void hear(Dialogue& flow, const Frame& payload, std::uint8_t flags = kAckFlag) {
    put(flow, false, payload, flags);
    bed_->run();
  }

  // A report names the flows that had packets since the one before.
  wire::Report report() {
    for (const auto& worker : bed_->engine().workers()) worker->top_flows().request();
    for (int round = 0; round < 200; ++round) bed_->run();
    auto report = bed_->report();
    for (const auto& sample : report.top_flows) samples_[{sample.vm, sample.local}] = sample;
    return report;
  }
  wire::FlowSample seen(const Dialogue& flow) {
    report();
    return samples_[{VmId{flow.vm}, "10.0.0." + std::to_string(flow.vm) + ":" + std::to_string(flow.local_port)}];
  }

  // Since the last report.
  std::uint64_t without_buffer() { return bed_->report().dataplane.flows_without_buffer; }
  std::uint64_t without_conversation() { return bed_->report().dataplane.payloads_without_state; }
  void expect_nothing_lost() {
    EXPECT_EQ(bed_->sent("vms").size() + bed_->sent("uplink").size(), put_);
    EXPECT_EQ(bed_->in_use(), 0u);
  }

  const Frame hello_ = foreflow::testing::tls_client_hello("www.netflix.com");
  std::unique_ptr<Testbed> bed_;
  std::map<std::pair<VmId, std::string>, wire::FlowSample> samples_;
  std::uint16_t queue_ = 0;
  std::size_t put_ = 0;
};

TEST_P(ClassifyingTest, AHelloOverTwoSegmentsIsNamedByItsServer) {
  Dialogue flow;
  say(flow, {}, kSynFlag);
  hear(flow, {}, kSynFlag | kAckFlag);
  say(flow, first_part(hello_));
  EXPECT_EQ(seen(flow).protocol, "tls") << "known already, while the name is awaited";
  say(flow, second_part(hello_));
  hear(flow, Frame(600, 0x17));
  const auto report = this->report();
  EXPECT_EQ(seen(flow).app, "netflix");
  EXPECT_EQ(seen(flow).category, Category::kVideo);
  for (const auto& direction : sample_of(report, VmId{1}).directions)
    EXPECT_GT(direction.app_bytes[index(Category::kVideo)], 0u);
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, AHelloThatReachesAVmIsNamedToo) {
  Dialogue flow;
  hear(flow, first_part(hello_));
  hear(flow, second_part(hello_));
  EXPECT_EQ(seen(flow).app, "netflix");
}

TEST_P(ClassifyingTest, MailThatAsksForTlsIsMailOverTls) {
  Dialogue flow;
  hear(flow, foreflow::testing::text("220 mail.example ESMTP Postfix\r\n"));
  say(flow, foreflow::testing::text("EHLO me.example\r\n"));
  EXPECT_EQ(seen(flow).protocol, "smtp");
  say(flow, foreflow::testing::text("STARTTLS\r\n"));
  hear(flow, foreflow::testing::text("220 go ahead\r\n"));
  EXPECT_EQ(seen(flow).protocol, "smtps");
  EXPECT_EQ(seen(flow).category, Category::kMail);
}

TEST_P(ClassifyingTest, QuicOverTwoDatagramsIsNamedByItsServer) {
  const Frame message(hello_.begin() + 5, hello_.end());
  const auto initial = [&](std::uint8_t number, std::size_t from, std::size_t to) {
    const auto at = [&](std::size_t i) { return message.begin() + static_cast<std::ptrdiff_t>(i); };
    return foreflow::testing::quic_sample_initial(
        number, foreflow::testing::quic_crypto(static_cast<std::uint16_t>(from), Frame(at(from), at(to))));
  };
  Dialogue flow{.protocol = 17};
  say(flow, initial(0, 60, message.size()));
  EXPECT_EQ(seen(flow).app, "");
  say(flow, initial(1, 0, 60));
  EXPECT_EQ(seen(flow).protocol, "quic");
  EXPECT_EQ(seen(flow).app, "netflix");
}

TEST_P(ClassifyingTest, ADnsAnswerNamesLaterFlowsOfThatVmAlone) {
  using namespace std::string_literals;
  const auto question =
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07netflix\x03"s + "com\x00\x00\x01\x00\x01"s;
  auto answer = question + "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x09"s;
  answer[2] = '\x81', answer[3] = '\x80', answer[7] = 1;
  Dialogue dns{.protocol = 17, .remote_port = 53};
  say(dns, foreflow::testing::text(question));
  hear(dns, foreflow::testing::text(answer));
  const auto joined = foreflow::testing::tls_record(23, Frame(100, 7));
  Dialogue own{.remote = 9, .local_port = 41'000, .remote_port = 443};
  Dialogue foreign{.vm = 2, .remote = 9, .local_port = 41'001, .remote_port = 443};
  hear(own, joined);
  hear(foreign, joined);
  EXPECT_EQ(seen(own).app, "netflix");
  EXPECT_EQ(seen(foreign).app, "");

  // The slot's next VM starts without what the former one asked for.
  auto desired = two_vms();
  desired.vms[0].id = VmId{3};
  desired.vms.erase(desired.vms.begin() + 1);
  bed_->apply({});
  bed_->apply(desired);
  own.vm = 1, own.local_port = 41'002;
  hear(own, joined);
  const auto report = this->report();
  ASSERT_EQ(report.top_flows.size(), 1u);
  EXPECT_EQ(report.top_flows[0].protocol, "tls");
  EXPECT_EQ(report.top_flows[0].app, "");
}

TEST_P(ClassifyingTest, WithoutABufferAFlowKeepsItsProtocolAndTheLackIsCounted) {
  start({.assemblies = 1, .assemblies_per_vm = 1});
  Dialogue first, second{.local_port = 40'001};
  say(first, first_part(hello_));
  say(second, first_part(hello_));
  EXPECT_EQ(without_buffer(), 1u);
  say(second, second_part(hello_));
  say(first, second_part(hello_));
  EXPECT_EQ(seen(first).app, "netflix");
  EXPECT_EQ(seen(second).protocol, "tls");
  Dialogue third{.local_port = 40'002};  // the first flow's verdict has given its buffer back
  say(third, first_part(hello_));
  EXPECT_EQ(without_buffer(), 0u);
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, AVmAtItsQuotaLeavesBuffersToTheOthers) {
  start({.assemblies = 2, .assemblies_per_vm = 1});
  Dialogue first, second{.local_port = 40'001}, of_another_vm{.vm = 2};
  for (auto* flow : {&first, &second, &of_another_vm}) say(*flow, first_part(hello_));
  EXPECT_EQ(without_buffer(), 1u);
  say(of_another_vm, second_part(hello_));
  EXPECT_EQ(seen(of_another_vm).app, "netflix");
}

TEST_P(ClassifyingTest, WithoutAConversationEachPayloadIsJudgedAlone) {
  start({.conversations = 1});
  Dialogue waiting, flow{.local_port = 40'001}, silent{.local_port = 40'002};
  say(waiting, first_part(hello_));
  say(flow, Frame(20, 0x5a));
  EXPECT_EQ(without_conversation(), 1u);
  say(flow, foreflow::testing::text("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"));
  EXPECT_EQ(seen(flow).protocol, "http");
  for (int i = 0; i < 20; ++i) say(silent, Frame(20, 0x5a));
  EXPECT_EQ(without_conversation(), classify::FlowClassifierConfig{}.most_payloads) << "the budget ends it";
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, WithoutAConversationAFlowIsToldByWhatItLooksLike) {
  start({.conversations = 1});
  Dialogue waiting, flow{.local_port = 40'001}, other{.local_port = 40'002};
  say(waiting, first_part(hello_));
  for (int i = 0; i < 10; ++i) {  // large ones from the other end, hardly an answer
    hear(flow, Frame(1'400, static_cast<std::uint8_t>(0xa0 + i)));
    if (i == 0) say(other, Frame(20, 0x5a));
  }
  EXPECT_EQ(without_conversation(), 11u);
  EXPECT_EQ(seen(flow).source, "behaviour");
  EXPECT_NE(seen(flow).behaviour, "-");
  EXPECT_GT(seen(flow).confidence, 0);
  EXPECT_EQ(seen(flow).protocol, "unknown");
  EXPECT_EQ(seen(other).behaviour, "-") << "one payload says nothing yet";
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, WithoutABufferAFlowGoesOnByWhatItLooksLike) {
  start({.assemblies = 1, .assemblies_per_vm = 1});
  Dialogue first, second{.local_port = 40'001};
  say(first, first_part(hello_));
  say(second, first_part(hello_));
  say(second, second_part(hello_));
  for (int i = 0; i < 10; ++i) hear(second, foreflow::testing::tls_record(23, Frame(1'390, 0x35)));
  EXPECT_EQ(seen(second).protocol, "tls") << "which stays what the payload said";
  EXPECT_EQ(seen(second).source, "payload");
  EXPECT_NE(seen(second).behaviour, "-");
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, AReportSaysWhatAVerdictRestsOn) {
  start({.fingerprints = true});
  Dialogue named, plain{.local_port = 40'001};
  say(named, first_part(hello_));
  say(named, second_part(hello_));
  say(plain, foreflow::testing::text("SSH-2.0-OpenSSH_9.2\r\n"));
  EXPECT_EQ(seen(named).source, "name");
  EXPECT_EQ(seen(named).fingerprint.substr(0, 4), "t13d");
  EXPECT_EQ(seen(named).fingerprint.size(), 36u);
  EXPECT_FALSE(seen(named).encrypted_hello);
  EXPECT_EQ(seen(plain).source, "payload");
  EXPECT_EQ(seen(plain).fingerprint, "");

  say(named, {}, kRstFlag);
  say(named, {}, kSynFlag);
  EXPECT_EQ(seen(named).fingerprint, "") << "another connection, another client";
  start();
  say(named, hello_);
  EXPECT_EQ(seen(named).source, "name");
  EXPECT_EQ(seen(named).fingerprint, "") << "made where they are asked for";
}

TEST_P(ClassifyingTest, AnEncryptedHelloIsReported) {
  Dialogue flow;
  say(flow, foreflow::testing::with_encrypted_hello(foreflow::testing::tls_client_hello("front.example")));
  EXPECT_EQ(seen(flow).protocol, "tls");
  EXPECT_TRUE(seen(flow).encrypted_hello);
}

TEST_P(ClassifyingTest, FlowsThatEndUnnamedGiveTheirStateBack) {
  start({.conversations = 4, .assemblies = 4, .assemblies_per_vm = 4});
  for (std::uint16_t i = 0; i < 40; ++i) {
    Dialogue flow{.local_port = static_cast<std::uint16_t>(40'000 + i)};
    say(flow, first_part(hello_));
    if (i % 4 != 3) continue;
    for (std::uint64_t second = 0; second < 20; ++second)  // long after they fell silent, all records are looked at
      bed_->run_at(Testbed::kSecond * (1'000 * (i + 1u) + second));
  }
  EXPECT_EQ(without_conversation(), 0u);
  EXPECT_EQ(without_buffer(), 0u);
}

TEST_P(ClassifyingTest, AConnectionOnReusedPortsStartsAnew) {
  start({.conversations = 1, .assemblies = 1});
  Dialogue flow;
  say(flow, {}, kSynFlag);
  say(flow, first_part(hello_));
  say(flow, {}, kRstFlag);
  say(flow, {}, kSynFlag);
  say(flow, first_part(hello_));
  say(flow, second_part(hello_));
  EXPECT_EQ(seen(flow).app, "netflix");
  EXPECT_EQ(without_conversation(), 0u);
  EXPECT_EQ(without_buffer(), 0u);
}

TEST_P(ClassifyingTest, NewSignaturesLoseNeitherAPacketNorAVerdict) {
  std::vector<Dialogue> flows;
  for (std::uint16_t i = 0; i < 6; ++i) flows.push_back({.local_port = static_cast<std::uint16_t>(40'000 + i)});
  for (auto& flow : flows) say(flow, {}, kSynFlag), say(flow, first_part(hello_));
  say(flows[0], second_part(hello_));
  for (std::size_t i = 1; i < flows.size(); ++i) {
    put(flows[i], true, second_part(hello_), kAckFlag);
    bed_->use(fresh_signatures());  // with the packet still in its queue
  }
  for (const auto& flow : flows) EXPECT_EQ(seen(flow).app, "netflix");
  expect_nothing_lost();
}

TEST_P(ClassifyingTest, NothingIsAllocatedOnceWarm) {
  const Frame message(hello_.begin() + 5, hello_.end());
  const auto initial = foreflow::testing::quic_sample_initial(0, foreflow::testing::quic_crypto(0, message));
  std::uint16_t port = 20'000;
  std::uint64_t taken = 0;
  for (int round = 0; round < 20; ++round) {
    Dialogue tls{.local_port = port++}, quic{.protocol = 17, .local_port = port++}, http{.local_port = port++};
    put(tls, true, {}, kSynFlag);
    put(tls, true, first_part(hello_), kAckFlag);
    put(quic, true, initial, 0);
    put(http, false, foreflow::testing::text("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n"), kAckFlag);
    put(tls, true, second_part(hello_), kAckFlag);
    const auto before = test::allocations();
    bed_->run();
    if (round >= 5) taken += test::allocations() - before;
  }
  EXPECT_EQ(taken, 0u);
  const auto report = this->report();
  const auto is_named = [](const wire::FlowSample& flow) { return flow.app == "netflix"; };
  EXPECT_EQ(std::count_if(report.top_flows.begin(), report.top_flows.end(), is_named), 40);
}

INSTANTIATE_TEST_SUITE_P(Workers, ClassifyingTest, ::testing::Values(1, 3));

}  // namespace
}  // namespace foreflow::pipeline
