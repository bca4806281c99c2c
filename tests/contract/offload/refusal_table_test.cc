// SPDX-License-Identifier: Apache-2.0
// The table of what mlx5 in switchdev mode refuses, row by row: the emulated device answers with the driver's errno and
// words; the product's own rules that come nearest to it are taken; and where that answer comes all the same, the
// intent goes to the pipeline or, where hardware is required, is refused with these words, and nothing of it stays
// behind.
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <rte_errno.h>

#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/rate_grid.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "tests/contract/offload/raw_rules.h"

namespace foreflow::offload {
namespace {

using namespace test;  // NOLINT(google-build-using-namespace)
using emulated::Call;
using ::testing::HasSubstr;
using wire::Placement;

constexpr BytesPerSecond kMegabyte{1'000'000};

struct Answer {
  int error = 0;
  std::string message;
};

// Asks the device for what a row is about; the helpers are those of RawRulesTest.
class Caller : public RawRulesTest {
 public:
  using RawRulesTest::add_policy;
  using RawRulesTest::add_profile;
  using RawRulesTest::create_meter;
  using RawRulesTest::jump;
  using RawRulesTest::meter;
  using RawRulesTest::meter_error_;
  void TestBody() override {}
  void prepare() { SetUp(); }

  Answer rule(const std::vector<rte_flow_action>& actions, std::uint32_t group = 1, bool for_one_port = true) {
    attr_.group = group;
    match_port_ = for_one_port;
    if (create(actions) != nullptr) return {};
    return {rte_errno, flow_error_.message};
  }
  Answer meters(int rc) const { return {-rc, meter_error_.message}; }

  rte_flow_action first() const { return meter(&a_meter_); }
  rte_flow_action second() const { return meter(&jumping_meter_); }
  rte_flow_action on() const { return jump(&to_two_); }
  rte_flow_action mirror(std::uint32_t one_in) {
    sample_.ratio = one_in;
    sample_.actions = to_probe_.data();
    return {.type = RTE_FLOW_ACTION_TYPE_SAMPLE, .conf = &sample_};
  }

 private:
  rte_flow_action_ethdev probe_{.port_id = kUnusedPort};
  std::array<rte_flow_action, 2> to_probe_{
      rte_flow_action{.type = RTE_FLOW_ACTION_TYPE_REPRESENTED_PORT, .conf = &probe_}, kEnd};
  rte_flow_action_sample sample_{};
};

constexpr rte_flow_action kSharedAge{.type = RTE_FLOW_ACTION_TYPE_INDIRECT, .conf = nullptr};
constexpr rte_flow_action kModify{.type = RTE_FLOW_ACTION_TYPE_MODIFY_FIELD, .conf = nullptr};

enum class When : std::uint8_t { kInstalling, kChanging, kRemoving };
enum class Nearest : std::uint8_t { kIsTaken, kIsRefused };

struct Row {
  const char* name;
  int error;
  const char* message;
  std::function<Answer(Caller&)> ask;
  Call call;  // where the product would meet it
  When when = When::kInstalling;
  std::function<std::vector<ResolvedIntent>()> intents;  // the nearest to it; the first one meets the answer
  Nearest nearest = Nearest::kIsTaken;
};

void PrintTo(const Row& row, std::ostream* out) { *out << row.name; }

std::vector<ResolvedIntent> limits() { return {egress_limit(1, kRed, kMegabyte), ingress_limit(2, kWeb, kMegabyte)}; }
std::vector<ResolvedIntent> marked() { return {treating(1, kRed, {.match = {.ip_protocol = 6}, .dscp = 10})}; }
std::vector<ResolvedIntent> ageing() {
  return {treating(1, kRed, {.idle_seconds = 5}), egress_limit(2, kRed, kMegabyte)};
}
std::vector<ResolvedIntent> mirrored(std::uint32_t one_in) {
  return {treating(1, kRed, {.mirror = wire::Mirror{.port = "probe", .one_in = one_in}}),
          egress_limit(2, kRed, kMegabyte)};
}

std::vector<Row> rows() {
  return {
      {"MeterWithSharedAge", ENOTSUP, "unsupported combining AGE, METER, CT ASO actions in a single rule",
       [](Caller& c) {
         return c.rule({kSharedAge, c.first(), c.on(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, ageing},
      {"TwoMeters", ENOTSUP, "meter chaining not support",
       [](Caller& c) {
         return c.rule({c.first(), c.second(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, limits},
      {"JumpBeforeMeter", ENOTSUP, "meter with jump not support",
       [](Caller& c) {
         return c.rule({c.on(), c.first(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, limits},
      {"DropCountingMeterForAllPorts", EINVAL,
       "Meter drop count or modify_field/set_tag in meter hierarchy not supported when matching all ports.",
       [](Caller& c) {
         return c.rule({c.first(), c.on(), kEnd}, 1, false);
       },
       Call::kFlowCreate, When::kInstalling, limits},
      {"MeterInUse", EBUSY, "Meter object is being used.",
       [](Caller& c) {
         EXPECT_EQ(c.rule({c.first(), c.on(), kEnd}).error, 0);
         return c.meters(rte_mtr_destroy(kUplink, kMeter, &c.meter_error_));
       },
       Call::kMeterDestroy, When::kRemoving, limits},
      {"ProfileInUse", EBUSY, "Meter profile is in use.",
       [](Caller& c) { return c.meters(rte_mtr_meter_profile_delete(kUplink, kProfile, &c.meter_error_)); },
       Call::kProfileDelete, When::kChanging, limits},
      {"MissingProfile", ENOENT, "Meter profile id not valid.",
       [](Caller& c) { return c.meters(c.create_meter(9, 77, kEnding)); }, Call::kMeterCreate, When::kInstalling,
       limits},
      {"DuplicateProfile", EEXIST, "Meter profile already exists.",
       [](Caller& c) { return c.meters(c.add_profile(kProfile)); }, Call::kProfileAdd, When::kInstalling, limits},
      {"DuplicateMeter", EEXIST, "Meter object already exists.",
       [](Caller& c) { return c.meters(c.create_meter(kMeter, kProfile, kEnding)); }, Call::kMeterCreate,
       When::kInstalling, limits},
      {"DuplicatePolicy", EEXIST, "policy ID exists. ",
       [](Caller& c) { return c.meters(c.add_policy(kEnding, {kEnd})); }, Call::kMeterCreate, When::kInstalling,
       limits},
      {"ProfileIdOutOfRange", ENOTSUP, "Meter profile id not valid.",
       [](Caller& c) { return c.meters(c.add_profile(UINT32_MAX)); }, Call::kProfileAdd, When::kInstalling, limits},
      {"MeterIdOutOfRange", ENOTSUP, "Meter object id not valid.",
       [](Caller& c) { return c.meters(c.create_meter(UINT32_MAX, kProfile, kEnding)); }, Call::kMeterCreate,
       When::kInstalling, limits},
      {"ModifyFieldInGroup0", ENOTSUP, "modify field action is not supported for group 0",
       [](Caller& c) {
         return c.rule({kModify, c.on(), kEnd}, 0);
       },
       Call::kFlowCreate, When::kInstalling, marked},
      {"SharedAgeInGroup0", ENOTSUP, "Shared ASO age action is not supported for group 0",
       [](Caller& c) {
         return c.rule({kSharedAge, c.on(), kEnd}, 0);
       },
       Call::kFlowCreate, When::kInstalling, ageing},
      {"SampleOfSome", ENOTSUP, "E-Switch doesn't support any optional action for sampling",
       [](Caller& c) {
         return c.rule({c.mirror(2), c.on(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, [] { return mirrored(4); }, Nearest::kIsRefused},
      {"MirrorBeforeMeter", ENOTSUP, "sample before ASO action is not supported",
       [](Caller& c) {
         return c.rule({c.mirror(1), c.first(), c.on(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, [] { return mirrored(1); }},
      {"MeterBeforeMirror", EINVAL, "wrong action order, meter should be after sample action",
       [](Caller& c) {
         return c.rule({c.first(), c.mirror(1), c.on(), kEnd});
       },
       Call::kFlowCreate, When::kInstalling, [] { return mirrored(1); }},
  };
}

class RefusalTable : public DeviceTest, public ::testing::WithParamInterface<Row> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    enforcer_.probe(kAllPorts);
  }
  std::vector<wire::IntentResult> enforce(const std::vector<ResolvedIntent>& intents) {
    auto results = enforcer_.prepare(set_of(intents));
    enforcer_.retire();
    return results;
  }
  void refuse_once() {
    emulated::inject({.call = GetParam().call, .nth = 1, .error = GetParam().error, .message = GetParam().message});
  }
  std::string words() const { return fmt::format("{} ({})", GetParam().message, strerrorname_np(GetParam().error)); }
  std::size_t in_the_pipeline() const {
    return enforcer_.software_limits().size() + enforcer_.software_treatments().size();
  }
  void expect_an_empty_device() {
    enforce({});
    const auto left = emulated::usage();
    EXPECT_EQ(left.rules + left.meters + left.profiles, 0u);
  }

  Enforcer enforcer_{std::make_unique<RteFlowBackend>()};
};

class RefusedInstallation : public RefusalTable {};
class RefusedChange : public RefusalTable {};
class RefusedRemoval : public RefusalTable {};

TEST_P(RefusalTable, TheDeviceAnswersInTheDriversWords) {
  Caller caller;
  caller.prepare();
  const auto answer = GetParam().ask(caller);
  EXPECT_EQ(answer.error, GetParam().error) << std::strerror(answer.error);
  EXPECT_EQ(answer.message, GetParam().message);
}

TEST_P(RefusalTable, TheNearestIntentsOfTheProductStandInTheDevice) {
  const auto intents = GetParam().intents();
  const auto results = enforce(intents);
  ASSERT_EQ(results.size(), intents.size());
  for (std::size_t i = GetParam().nearest == Nearest::kIsTaken ? 0 : 1; i < results.size(); ++i)
    EXPECT_EQ(results[i].placement, Placement::kHardware) << results[i].reason;
  if (GetParam().nearest == Nearest::kIsRefused) {
    EXPECT_EQ(results[0].placement, Placement::kSoftware);
    EXPECT_THAT(results[0].reason, HasSubstr(words()));
    EXPECT_EQ(in_the_pipeline(), 1u);
  }
  expect_an_empty_device();
}

TEST_P(RefusedInstallation, WhatIsRefusedAllTheSameGoesToThePipeline) {
  const auto intents = GetParam().intents();
  refuse_once();
  const auto results = enforce(intents);
  EXPECT_EQ(results[0].placement, Placement::kSoftware);
  EXPECT_THAT(results[0].reason, HasSubstr(words()));
  EXPECT_GE(in_the_pipeline(), 1u);
  if (GetParam().nearest == Nearest::kIsTaken) {
    EXPECT_EQ(enforce(intents)[0].placement, Placement::kHardware) << "tried again";
    EXPECT_EQ(in_the_pipeline(), 0u);
  }
  expect_an_empty_device();
}

TEST_P(RefusedInstallation, WhatRequiresHardwareIsRefusedInTheseWords) {
  auto intents = GetParam().intents();
  for (auto& intent : intents) intent.intent.demand = wire::Demand::kRequireHardware;
  refuse_once();
  const auto results = enforce(intents);
  EXPECT_EQ(results[0].placement, Placement::kRefused);
  EXPECT_THAT(results[0].reason, HasSubstr(words()));
  EXPECT_EQ(in_the_pipeline(), 0u);
  expect_an_empty_device();
}

TEST_P(RefusedChange, AChangeGoesOnWithoutIt) {
  auto intents = GetParam().intents();
  enforce(intents);
  for (const std::uint64_t rate : {2'000'000u, 3'000'000u}) {
    set_rate(intents[0], BytesPerSecond{rate});
    if (rate == 2'000'000u) refuse_once();
    const auto results = enforce(intents);
    EXPECT_EQ(results[0].placement, Placement::kHardware) << results[0].reason;
    EXPECT_EQ(results[0].achieved_cir, nearest_on_grid(BytesPerSecond{rate}));
  }
  EXPECT_EQ(emulated::usage().profiles, intents.size()) << "what could not be deleted then is deleted now";
  expect_an_empty_device();
}

TEST_P(RefusedRemoval, ARemovalIsTriedAgain) {
  const auto intents = GetParam().intents();
  enforce(intents);
  refuse_once();
  enforce({});
  EXPECT_EQ(emulated::usage().meters, 1u);
  EXPECT_EQ(enforcer_.read_device_stats().size(), 1u) << "what is still there is still told";
  expect_an_empty_device();
}

std::vector<Row> rows_when(When when) {
  auto some = rows();
  std::erase_if(some, [&](const Row& row) { return row.when != when; });
  return some;
}

std::string name_of(const ::testing::TestParamInfo<Row>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(Mlx5, RefusalTable, ::testing::ValuesIn(rows()), name_of);
INSTANTIATE_TEST_SUITE_P(Mlx5, RefusedInstallation, ::testing::ValuesIn(rows_when(When::kInstalling)), name_of);
INSTANTIATE_TEST_SUITE_P(Mlx5, RefusedChange, ::testing::ValuesIn(rows_when(When::kChanging)), name_of);
INSTANTIATE_TEST_SUITE_P(Mlx5, RefusedRemoval, ::testing::ValuesIn(rows_when(When::kRemoving)), name_of);

}  // namespace
}  // namespace foreflow::offload
