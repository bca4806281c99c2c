// SPDX-License-Identifier: Apache-2.0
// Rules for an application: what the flow classifier says of a flow decides what becomes of its packets. In the
// pipeline alone, and with the emulated eSwitch before it, which carries what no rule of the pipeline is meant for.
#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <tuple>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/pipeline/testbed.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/payload_samples.h"

namespace foreflow::pipeline {
namespace {

namespace emulated = offload::emulated;

using foreflow::testing::Frame;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::Demand;
using wire::Placement;

constexpr VmId kWeb{1};
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kAf41 = 34;
constexpr std::size_t kTrafficClass = 15;
constexpr std::size_t kOut = index(Direction::kEgress);
constexpr std::size_t kIn = index(Direction::kIngress);

std::atomic<std::uint64_t> device_now{Testbed::kSecond};

Frame payload_of(std::string_view protocol) {
  const auto& samples = foreflow::testing::payload_samples();
  const auto sample = std::ranges::find(samples, protocol, &foreflow::testing::PayloadSample::protocol);
  if (sample == samples.end()) throw std::runtime_error("no sample of this protocol");
  return sample->payload;
}

std::shared_ptr<Signatures> signatures() {
  static const auto loaded = load_signatures(test::kSignatures, test::kSignatureCache, 3);
  if (!loaded) throw std::runtime_error(loaded.error().message);
  return *loaded;
}

std::vector<std::uint8_t> marks(const std::vector<FrameBytes>& frames) {
  std::vector<std::uint8_t> found;
  found.reserve(frames.size());
  for (const auto& frame : frames) found.push_back(static_cast<std::uint8_t>(frame[kTrafficClass] >> 2));
  return found;
}

class ApplicationsTest : public ::testing::Test {
 protected:
  void start(std::uint16_t workers, bool with_device) {
    device_now = Testbed::kSecond;
    emulated::reset({});
    emulated::set_clock([] { return device_now.load(); });
    bed_ = std::make_unique<Testbed>(
        workers, std::vector<TestPort>{{"uplink", config::PortRole::kUplink}, {"web"}}, config::ClockConfig{},
        with_device ? std::make_unique<offload::RteFlowBackend>() : std::unique_ptr<offload::OffloadBackend>());
    bed_->use(signatures());
  }
  void TearDown() override {
    for (const auto* port : {"uplink", "web"}) bed_->sent(port);
    EXPECT_EQ(bed_->in_use(), 0u);
    const auto total = bed_->report().dataplane;
    EXPECT_EQ(total.rx_packets + total.flood_copies, total.tx_packets + sum(total.drops));
    bed_.reset();
    emulated::reset({});
  }

  static wire::Intent rule(std::uint64_t id, Category category, Direction direction, std::optional<std::uint8_t> dscp,
                           Demand demand = Demand::kSoftware) {
    return {IntentId{id}, 100, demand,
            wire::Treatment{
                .vm = kWeb, .direction = direction, .match = {.category = category}, .drop = !dscp, .dscp = dscp}};
  }
  static wire::Intent mark_video(Demand demand = Demand::kSoftware) {
    return rule(1, Category::kVideo, Direction::kEgress, kAf41, demand);
  }
  static wire::Intent bypass() {
    return {IntentId{9}, 0, Demand::kPreferHardware, wire::Bypass{kWeb, std::nullopt, 2'000, 600}};
  }
  wire::Applied apply(std::vector<wire::Intent> intents) {
    wire::DesiredState desired{.generation = Generation{++generation_}};
    desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}}};
    desired.intents = std::move(intents);
    return bed_->apply(desired);
  }
  // Of flow n: port 40000 + n of the VM and port 443 of somebody behind the uplink.
  void send(bool out, std::uint16_t flow, const Frame& payload, std::uint8_t flags = kAckFlag) {
    const auto local = static_cast<std::uint16_t>(40'000 + flow);
    FrameSpec spec{.source = mac(1),
                   .destination = mac(99),
                   .protocol = kTcp,
                   .source_port = local,
                   .destination_port = 443,
                   .tcp_flags = flags,
                   .payload = {reinterpret_cast<const char*>(payload.data()), payload.size()}};
    if (!out) {
      std::swap(spec.source, spec.destination);
      std::swap(spec.source_host, spec.destination_host);
      std::swap(spec.source_port, spec.destination_port);
    }
    bed_->put(out ? "web" : "uplink", queue_++, make_frame(spec));
    bed_->run_at(device_now);
  }
  void open(std::uint16_t flow) {
    send(true, flow, {}, kSynFlag);
    send(false, flow, {}, kSynFlag | kAckFlag);
    send(true, flow, {});
  }
  // A conversation that is recognised by what its client says first, and then goes on for a while.
  void begin(std::uint16_t flow, const Frame& first) {
    open(flow);
    send(true, flow, first);
    go_on(flow, 10);
  }
  void go_on(std::uint16_t flow, int times) {
    for (int i = 0; i < times; ++i)
      for (const bool out : {true, false}) send(out, flow, Frame(500, 0x17));
  }
  void pass_time(std::uint64_t nanoseconds) {
    device_now += nanoseconds;
    bed_->run_at(device_now);
    bed_->serve();
    bed_->run_at(device_now);
  }
  // Those that refused flows may be offered again, so twice.
  void settle() {
    pass_time(Testbed::kSecond);
    pass_time(6 * Testbed::kSecond);
  }

  const Frame video_ = foreflow::testing::tls_client_hello("www.netflix.com");
  const Frame database_ = payload_of("redis");
  std::unique_ptr<Testbed> bed_;
  std::uint64_t generation_ = 0;
  std::uint16_t queue_ = 0;
};

// Workers, and whether there is a device.
class Applications : public ApplicationsTest, public ::testing::WithParamInterface<std::tuple<std::uint16_t, bool>> {
 protected:
  void SetUp() override { start(std::get<0>(GetParam()), std::get<1>(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(Workers, Applications, ::testing::Combine(::testing::Values(1, 3), ::testing::Bool()));

TEST_P(Applications, PacketsAreMarkedFromTheVerdictOn) {
  const auto applied = apply({mark_video()});
  EXPECT_EQ(applied.results[0].placement, Placement::kSoftware);
  EXPECT_THAT(applied.results[0].reason, IsEmpty()) << "as asked";
  open(1);
  EXPECT_THAT(marks(bed_->sent("uplink")), Each(0)) << "nothing was said yet";
  send(true, 1, video_);
  send(true, 1, Frame(500, 0x17));
  send(true, 2, database_);
  const auto sent = bed_->sent("uplink");
  ASSERT_THAT(sent, SizeIs(3));
  auto found = marks(sent);
  std::ranges::sort(found);
  EXPECT_THAT(found, ::testing::ElementsAre(0, kAf41, kAf41)) << "the other flow is of another application";
  send(false, 1, Frame(500, 0x17));
  EXPECT_THAT(marks(bed_->sent("web")), Each(0)) << "the rule is for what the VM sends";
  EXPECT_EQ(bed_->report().intents.at(0).passed_packets, 2u);
}

TEST_P(Applications, WhatIsToBeDroppedIsDroppedInBothDirectionsFromTheVerdictOn) {
  apply({rule(1, Category::kDatabase, Direction::kEgress, std::nullopt),
         rule(2, Category::kDatabase, Direction::kIngress, std::nullopt)});
  open(1);
  bed_->sent("uplink");
  bed_->sent("web");
  send(true, 1, database_);
  send(false, 1, Frame(500, 'x'));
  send(true, 2, video_);
  EXPECT_THAT(bed_->sent("uplink"), SizeIs(1));
  EXPECT_THAT(bed_->sent("web"), IsEmpty());
  const auto report = bed_->report();
  for (const auto at : {kOut, kIn}) {
    EXPECT_EQ(report.intents.at(at).dropped_packets, 1u);
    EXPECT_EQ(sample_of(report, kWeb).directions[at].drops[wire::index(wire::DropCause::kFiltered)], 1u);
  }
}

TEST_P(Applications, ARuleThatWouldRatherBeInTheDeviceWorksInThePipelineAndSaysWhy) {
  const auto applied = apply({mark_video(Demand::kPreferHardware)});
  EXPECT_EQ(applied.results[0].placement, Placement::kSoftware);
  EXPECT_THAT(applied.results[0].reason, HasSubstr(std::get<1>(GetParam()) ? "application" : "no offload device"));
  send(true, 1, video_);
  EXPECT_THAT(marks(bed_->sent("uplink")), ::testing::ElementsAre(kAf41));
}

TEST_P(Applications, ARuleThatMustBeInTheDeviceIsRefused) {
  const auto applied = apply({mark_video(Demand::kRequireHardware)});
  EXPECT_EQ(applied.results[0].placement, Placement::kRefused);
  send(true, 1, video_);
  EXPECT_THAT(marks(bed_->sent("uplink")), ::testing::ElementsAre(0));
}

class ApplicationsInTheDevice : public ApplicationsTest, public ::testing::WithParamInterface<std::uint16_t> {
 protected:
  void SetUp() override { start(GetParam(), true); }
};
INSTANTIATE_TEST_SUITE_P(Workers, ApplicationsInTheDevice, ::testing::Values(1, 3));

TEST_P(ApplicationsInTheDevice, OnlyFlowsOfATreatedApplicationStayInThePipeline) {
  const auto applied = apply({mark_video(), bypass()});
  EXPECT_EQ(applied.results[1].placement, Placement::kHardware) << applied.results[1].reason;
  begin(1, video_);
  begin(2, database_);
  pass_time(Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  bed_->sent("uplink");
  go_on(1, 3);
  EXPECT_THAT(marks(bed_->sent("uplink")), Each(kAf41));
  const auto before = bed_->report().dataplane.rx_packets;
  go_on(2, 3);
  EXPECT_THAT(marks(bed_->sent("uplink")), Each(0));
  EXPECT_GT(before, 0u);
  EXPECT_EQ(bed_->report().dataplane.rx_packets, 0u) << "that one is past the pipeline";
}

TEST_P(ApplicationsInTheDevice, AFlowComesBackBeforeARuleIsMadeForItsApplication) {
  apply({bypass()});
  begin(1, video_);
  begin(2, database_);
  pass_time(Testbed::kSecond);
  ASSERT_EQ(bed_->flows_in_device(), 2u);
  apply({mark_video(), bypass()});
  EXPECT_EQ(bed_->flows_in_device(), 1u);
  bed_->sent("uplink");
  go_on(1, 5);
  settle();
  go_on(1, 5);
  EXPECT_THAT(marks(bed_->sent("uplink")), ::testing::AllOf(SizeIs(10), Each(kAf41)));
  EXPECT_EQ(bed_->flows_in_device(), 1u);
}

TEST_P(ApplicationsInTheDevice, AFlowThatWasAskedForUnderTheFormerRulesIsNotTaken) {
  apply({bypass()});
  begin(1, video_);  // the worker has asked, control has not answered
  apply({mark_video(), bypass()});
  pass_time(1'000'000);
  EXPECT_EQ(bed_->flows_in_device(), 0u);
}

TEST_P(ApplicationsInTheDevice, AFlowLeavesWhenTheRuleForItsApplicationIsGone) {
  apply({mark_video(), bypass()});
  begin(1, video_);
  pass_time(Testbed::kSecond);
  ASSERT_EQ(bed_->flows_in_device(), 0u);
  apply({bypass()});
  go_on(1, 1);
  settle();
  EXPECT_EQ(bed_->flows_in_device(), 1u);
}

TEST_P(ApplicationsInTheDevice, WhatIsNotRecognisedYetWaitsForTheRulesForApplications) {
  bed_->use(nullptr);
  apply({mark_video(), bypass()});
  begin(1, video_);
  pass_time(Testbed::kSecond);
  EXPECT_EQ(bed_->flows_in_device(), 0u) << "nobody could tell what it is";
  apply({bypass()});
  go_on(1, 1);
  settle();
  EXPECT_EQ(bed_->flows_in_device(), 1u);
}

}  // namespace
}  // namespace foreflow::pipeline
