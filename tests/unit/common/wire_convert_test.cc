// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/convert.h"
#include "common/wire/limits.h"
#include "tests/support/random_messages.h"

namespace foreflow::wire {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Through bytes, as on the stream.
template <typename Proto, typename Message>
auto over_the_wire(const Message& message) {
  Proto parsed;
  EXPECT_TRUE(parsed.ParseFromString(to_proto(message).SerializeAsString()));
  return from_proto(parsed);
}

TEST(WireConvert, EveryMessageFromTheDataplaneComesBackEqual) {
  test::RandomMessages random(1);
  for (int i = 0; i < 200; ++i) {
    const CompressedReport report{.boot_id = 7, .sequence = 1u + random.below(100), .raw_size = 5, .zstd = "\x01\x02"};
    for (const FromDataplane& message : {FromDataplane(random.hello()), FromDataplane(report),
                                         FromDataplane(random.applied()), FromDataplane(random.event())}) {
      const auto back = over_the_wire<v1::FromDataplane>(message);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_TRUE(*back == message) << "kind " << message.index();
    }
  }
}

TEST(WireConvert, EveryMessageToTheDataplaneComesBackEqual) {
  test::RandomMessages random(2);
  for (int i = 0; i < 200; ++i) {
    for (const ToDataplane& message :
         {ToDataplane(random.desired()), ToDataplane(Ack{5, 9}), ToDataplane(Welcome{"0.1.0"})}) {
      const auto back = over_the_wire<v1::ToDataplane>(message);
      ASSERT_TRUE(back) << back.error().message;
      EXPECT_TRUE(*back == message) << "kind " << message.index();
    }
  }
}

TEST(WireConvert, MissingTrailingCountersAreZero) {
  v1::Report report;
  report.add_vms()->mutable_egress()->add_app_bytes(5);
  const auto plain = from_proto(report);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->vms[0].directions[0].app_bytes[0], 5u);
  EXPECT_EQ(plain->vms[0].directions[0].app_bytes[1], 0u);
  EXPECT_EQ(plain->vms[0].directions[0].peak_10ms_bytes, std::nullopt);
}

TEST(WireConvert, TextFromPacketsIsMadeValidAndCut) {
  EXPECT_EQ(valid_text("caf\xc3\xa9", 255), "caf\xc3\xa9");
  EXPECT_EQ(valid_text("a\xff\xc3", 255), "a??");
  EXPECT_EQ(valid_text("\xed\xa0\x80", 255), "???") << "a surrogate is no character";
  EXPECT_EQ(valid_text("ab\xc3\xa9", 3), "ab") << "never half a character";
  Report report;
  report.top_flows.push_back(FlowSample{.app = "\xff" + std::string(1'000, 'x')});
  const auto back = over_the_wire<v1::Report>(report);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->top_flows[0].app.size(), kLongestName);
}

// One broken field each; the error must lead to it.
template <typename Proto>
struct Fault {
  std::string place;
  std::function<void(Proto&)> damage;
};

template <typename Proto>
void expect_refused(const Proto& good, const std::vector<Fault<Proto>>& faults) {
  ASSERT_TRUE(from_proto(good)) << from_proto(good).error().message;
  for (const auto& fault : faults) {
    auto bad = good;
    fault.damage(bad);
    const auto plain = from_proto(bad);
    ASSERT_FALSE(plain) << fault.place;
    EXPECT_EQ(plain.error().code, ErrorCode::kMalformed);
    EXPECT_THAT(plain.error().message, StartsWith(fault.place + ":"));
    EXPECT_THAT(plain.error().message, HasSubstr("expected"));
  }
}

TEST(WireConvert, ABadHelloIsRefusedByField) {
  Hello hello{.dataplane = "dp1", .version = "1", .boot_id = 1};
  hello.ports.push_back(PortInfo{.name = "web"});
  using M = v1::FromDataplane;
  expect_refused<M>(
      to_proto(FromDataplane(hello)),
      {{"message", [](M& m) { m.clear_message(); }},
       {"hello.dataplane", [](M& m) { m.mutable_hello()->clear_dataplane(); }},
       {"hello.dataplane", [](M& m) { m.mutable_hello()->set_dataplane(std::string(kLongestName + 1, 'x')); }},
       {"hello.version", [](M& m) { m.mutable_hello()->set_version(std::string(kLongestName + 1, 'x')); }},
       {"hello.boot_id", [](M& m) { m.mutable_hello()->set_boot_id(0); }},
       {"hello.capabilities.lending", [](M& m) { m.mutable_hello()->mutable_capabilities()->set_lending(3); }},
       {"hello.capabilities.backend",
        [](M& m) { m.mutable_hello()->mutable_capabilities()->set_backend(std::string(kLongestText + 1, 'x')); }},
       {"hello.ports[0].mac", [](M& m) { m.mutable_hello()->mutable_ports(0)->set_mac("12345"); }},
       {"hello.ports[0].name", [](M& m) { m.mutable_hello()->mutable_ports(0)->clear_name(); }},
       {"hello.ports", [](M& m) {
          for (std::size_t i = 0; i < kMostPorts; ++i) m.mutable_hello()->add_ports();
        }}});
}

TEST(WireConvert, ABadEnvelopeAppliedOrEventIsRefusedByField) {
  using M = v1::FromDataplane;
  expect_refused<M>(to_proto(FromDataplane(CompressedReport{.boot_id = 1, .sequence = 1})),
                    {{"report.boot_id", [](M& m) { m.mutable_report()->set_boot_id(0); }},
                     {"report.sequence", [](M& m) { m.mutable_report()->set_sequence(0); }},
                     {"report.raw_size", [](M& m) { m.mutable_report()->set_raw_size(kLargestRawReport + 1); }}});
  expect_refused<M>(
      to_proto(FromDataplane(Applied{.results = {IntentResult{}}})),
      {{"applied.results[0].placement", [](M& m) { m.mutable_applied()->mutable_results(0)->set_placement(3); }},
       {"applied.results[0].reason",
        [](M& m) { m.mutable_applied()->mutable_results(0)->set_reason(std::string(kLongestName + 1, 'x')); }},
       {"applied.results", [](M& m) {
          for (std::size_t i = 0; i < kMostIntents; ++i) m.mutable_applied()->add_results();
        }}});
  expect_refused<M>(to_proto(FromDataplane(Event{.kind = "port_down"})),
                    {{"event.kind", [](M& m) { m.mutable_event()->clear_kind(); }},
                     {"event.text", [](M& m) { m.mutable_event()->set_text(std::string(kLongestText + 1, 'x')); }}});
}

TEST(WireConvert, ABadReportIsRefusedByField) {
  Report report;
  report.vms.resize(2);
  report.top_flows.resize(1);
  report.intents.resize(1);
  using M = v1::Report;
  expect_refused<M>(
      to_proto(report),
      {{"report.dataplane.drops", [](M& m) { m.mutable_dataplane()->add_drops(1); }},
       {"report.vms[1].egress.drops", [](M& m) { m.mutable_vms(1)->mutable_egress()->add_drops(1); }},
       {"report.vms[1].ingress.app_bytes", [](M& m) { m.mutable_vms(1)->mutable_ingress()->add_app_bytes(1); }},
       {"report.top_flows[0].category", [](M& m) { m.mutable_top_flows(0)->set_category(kCategories); }},
       {"report.top_flows[0].confidence", [](M& m) { m.mutable_top_flows(0)->set_confidence(101); }},
       {"report.top_flows[0].app", [](M& m) { m.mutable_top_flows(0)->set_app(std::string(kLongestName + 1, 'x')); }},
       {"report.vms",
        [](M& m) {
          for (std::size_t i = 0; i < kMostVms; ++i) m.add_vms();
        }},
       {"report.top_flows",
        [](M& m) {
          for (std::size_t i = 0; i < kMostFlows; ++i) m.add_top_flows();
        }},
       {"report.intents", [](M& m) {
          for (std::size_t i = 0; i < kMostIntents; ++i) m.add_intents();
        }}});
}

TEST(WireConvert, ABadDesiredStateIsRefusedByField) {
  DesiredState desired;
  desired.uplinks = {UplinkSpec{.port = "p0"}};
  desired.vms = {VmSpec{.id = VmId{1}, .name = "a", .attachments = {Attachment{.port = "web"}}},
                 VmSpec{.id = VmId{2}, .name = "b"}};
  desired.intents = {Intent{.id = IntentId{1}, .what = Police{.cir = {5}, .pir = {5}}}, Intent{.id = IntentId{2}}};
  using M = v1::ToDataplane;
  const auto intent = [](M& m) { return m.mutable_desired_state()->mutable_intents(0); };
  const auto attachment = [](M& m) { return m.mutable_desired_state()->mutable_vms(0)->mutable_attachments(0); };
  expect_refused<M>(
      to_proto(ToDataplane(desired)),
      {{"message", [](M& m) { m.clear_message(); }},
       {"desired_state.uplinks[0].port", [](M& m) { m.mutable_desired_state()->mutable_uplinks(0)->clear_port(); }},
       {"desired_state.vms[0].name", [](M& m) { m.mutable_desired_state()->mutable_vms(0)->clear_name(); }},
       {"desired_state.vms[1].id", [](M& m) { m.mutable_desired_state()->mutable_vms(1)->set_id(1); }},
       {"desired_state.vms[0].attachments[0].mac", [=](M& m) { attachment(m)->set_mac("1234567"); }},
       {"desired_state.vms[0].attachments[0].segment", [=](M& m) { attachment(m)->set_segment(4095); }},
       {"desired_state.vms[0].attachments[0].segment", [=](M& m) { attachment(m)->set_segment(1u << 25); }},
       {"desired_state.vms[0].attachments",
        [](M& m) {
          for (std::size_t i = 0; i < kMostAttachments; ++i)
            m.mutable_desired_state()->mutable_vms(0)->add_attachments();
        }},
       {"desired_state.intents[1].id", [](M& m) { m.mutable_desired_state()->mutable_intents(1)->set_id(1); }},
       {"desired_state.intents[0].demand", [=](M& m) { intent(m)->set_demand(3); }},
       {"desired_state.intents[0].what", [=](M& m) { intent(m)->clear_what(); }},
       {"desired_state.intents[0].police.direction", [=](M& m) { intent(m)->mutable_police()->set_direction(2); }},
       {"desired_state.intents[0].police.pir", [=](M& m) { intent(m)->mutable_police()->set_pir(4); }},
       {"desired_state.intents[0].police.cbs", [=](M& m) { intent(m)->mutable_police()->set_cbs(kLargestBurst + 1); }},
       {"desired_state.intents[0].police.pbs", [=](M& m) { intent(m)->mutable_police()->set_pbs(~0ull); }},
       {"desired_state.uplinks",
        [](M& m) {
          for (std::size_t i = 0; i < kMostUplinks; ++i) m.mutable_desired_state()->add_uplinks();
        }},
       {"desired_state.vms",
        [](M& m) {
          for (std::size_t i = 0; i < kMostVms; ++i) m.mutable_desired_state()->add_vms();
        }},
       {"desired_state.intents",
        [](M& m) {
          for (std::size_t i = 0; i < kMostIntents; ++i) m.mutable_desired_state()->add_intents();
        }},
       {"desired_state.signature_set",
        [](M& m) { m.mutable_desired_state()->set_signature_set(std::string(kLongestName + 1, 'x')); }}});
}

// Damaged bytes may still be a message; then it keeps its bounds. What may not happen is a crash.
TEST(WireConvert, DamagedBytesNeverCrashAndNeverExceedBounds) {
  const google::protobuf::LogSilencer silence;  // it reports each string that is no UTF-8
  test::RandomMessages random(3);
  int parsed = 0;
  int refused = 0;
  for (int i = 0; i < 3'000; ++i) {
    auto bytes = i % 3 == 0 ? random.bytes(200) : to_proto(ToDataplane(random.desired())).SerializeAsString();
    for (auto n = random.below(4); n > 0 && !bytes.empty(); --n)
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    v1::ToDataplane message;
    if (!message.ParseFromString(bytes)) continue;
    ++parsed;
    const auto plain = from_proto(message);
    if (!plain) {
      ++refused;
      EXPECT_FALSE(plain.error().message.empty());
    } else if (const auto* desired = std::get_if<DesiredState>(&*plain)) {
      for (const auto& intent : desired->intents) {
        if (const auto* police = std::get_if<Police>(&intent.what)) {
          ASSERT_GE(police->pir, police->cir);
        } else if (const auto* bypass = std::get_if<Bypass>(&intent.what)) {
          ASSERT_GE(bypass->idle_seconds, 1u);
        } else if (const auto* treatment = std::get_if<Treatment>(&intent.what)) {
          ASSERT_LE(treatment->match.remote_prefix, 32);
          ASSERT_LE(treatment->dscp.value_or(0), 63);
          ASSERT_GE(treatment->mirror.value_or(Mirror{}).one_in, 1u);
        }
      }
    }
  }
  EXPECT_GT(parsed, 100);
  EXPECT_GT(refused, 10);
}

}  // namespace
}  // namespace foreflow::wire
