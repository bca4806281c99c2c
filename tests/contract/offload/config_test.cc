// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "dataplane/offload/emulated/emulated.h"

namespace foreflow::offload::emulated {
namespace {

using ::testing::HasSubstr;

TEST(EswitchConfig, ReadsEveryKey) {
  const auto config = parse_config(
      "rules=10,meters=2,clock=rx_timestamp,timestamp_ns=1,fail=flow_create@3,fail=meter_stats@1,lose=flow_query@7,"
      "lying_validate=1,profile=sticky,memory=/dev/shm/"
      "x,colour_aware=1,update_delay_us=9,insert_delay_us=8,counter_delay_us=7");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->rules, 10u);
  EXPECT_EQ(config->meters, 2u);
  EXPECT_EQ(config->time, TimeSource::kRxTimestamp);
  EXPECT_EQ(config->timestamp_ns, 1u);
  EXPECT_EQ(config->profile, Profile::kSticky);
  EXPECT_EQ(config->memory, "/dev/shm/x");
  EXPECT_TRUE(config->validate_lies);
  EXPECT_TRUE(config->colour_aware);
  EXPECT_EQ(config->update_delay_us, 9u);
  EXPECT_EQ(config->insert_delay_us, 8u);
  EXPECT_EQ(config->counter_delay_us, 7u);
  ASSERT_EQ(config->failures.size(), 3u);
  EXPECT_EQ(config->failures[0].call, Call::kFlowCreate);
  EXPECT_EQ(config->failures[0].nth, 3u);
  EXPECT_EQ(config->failures[1].call, Call::kMeterStats);
  EXPECT_FALSE(config->failures[1].loses_all);
  EXPECT_TRUE(config->failures[2].loses_all);
}

TEST(EswitchConfig, EmptyTextIsTheDefault) {
  const auto config = parse_config("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->rules, EswitchConfig{}.rules);
  EXPECT_EQ(config->time, TimeSource::kTsc);
}

TEST(EswitchConfig, NamesWhatIsWrongAndWhatWouldBeRight) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"ruels=3", "unknown key 'ruels'"},
      {"rules", "not key=value"},
      {"rules=", "rules= is wrong"},
      {"rules=-1", "a number"},
      {"meters=99999999999", "a number"},
      {"clock=sundial", "tsc or rx_timestamp"},
      {"timestamp_ns=0", "nanoseconds"},
      {"fail=flow_create", "CALL@N"},
      {"fail=flow_make@1", "flow_create, flow_destroy"},
      {"fail=flow_create@0", "CALL@N"},
      {"lose=flow_make@1", "FOREFLOW_ESWITCH: lose=flow_make@1 is wrong"},
      {"lying_validate=yes", "0 or 1"},
      {"profile=connectx", "mlx5, sticky, cnxk, none"},
      {"memory=", "name of a file"},
  };
  for (const auto& [text, message] : wrong) {
    const auto config = parse_config(text);
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().message, HasSubstr(message));
    EXPECT_THAT(config.error().message, HasSubstr("FOREFLOW_ESWITCH"));
  }
}

}  // namespace
}  // namespace foreflow::offload::emulated
