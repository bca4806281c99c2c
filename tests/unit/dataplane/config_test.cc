// SPDX-License-Identifier: Apache-2.0
#include "dataplane/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_paths.h"

namespace foreflow::config {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kLeast = R"(id = "dpu1"
[manager]
address = "127.0.0.1:7443"
ca = "ca.crt"
certificate = "dpu1.crt"
key = "dpu1.key"
[[port]]
name = "web"
device = "net_ring0"
)";

std::string with(std::string_view more) { return std::string(kLeast) + std::string(more); }

std::string reason(std::string_view text) {
  const auto config = parse(text, "dp.toml");
  return config ? "accepted" : config.error().message;
}

TEST(DataplaneConfig, NeedsLittle) {
  const auto config = parse(kLeast, "dp.toml");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config->id, "dpu1");
  EXPECT_EQ(config->workers, 1u);
  ASSERT_EQ(config->ports.size(), 1u);
  EXPECT_EQ(config->ports[0].role, PortRole::kVm);
}

TEST(DataplaneConfig, AnUnknownKeyIsNamedWithItsLineAndTheNearestKnownOne) {
  EXPECT_THAT(reason(with("rolle = \"vm\"\n")),
              HasSubstr("dp.toml:10: port[0].rolle: unknown key; did you mean 'role'?"));
}

TEST(DataplaneConfig, RatesAreNotItsBusiness) {
  EXPECT_THAT(reason(with("rate = \"50M\"\n")), HasSubstr("port[0].rate: unknown key"));
}

TEST(DataplaneConfig, WorkersDoNotShareACpu) {
  EXPECT_THAT(reason("workers = 2\ncpus = [1, 0, 0]\n" + std::string(kLeast)),
              HasSubstr("dp.toml:2: cpus: CPU 0 is given to two workers"));
  EXPECT_EQ(reason("workers = 2\ncpus = [1, 0, 1]\n" + std::string(kLeast)), "accepted");
}

TEST(DataplaneConfig, TheManagersPortExists) {
  auto text = std::string(kLeast);
  text.replace(text.find("7443"), 4, "74430");
  EXPECT_THAT(reason(text), HasSubstr("manager.address: '127.0.0.1:74430' is not host:port"));
}

TEST(DataplaneConfig, EveryReasonIsGivenAtOnce) {
  const auto text = reason(R"(id = "d p"
workers = 0
cpus = [1]
[manager]
address = "nowhere"
)");
  EXPECT_THAT(text, HasSubstr("dp.toml:1: id: 'd p' is not a name"));
  EXPECT_THAT(text, HasSubstr("dp.toml:2: workers: expected an integer from 1 to 63"));
  EXPECT_THAT(text, HasSubstr("dp.toml:3: cpus: 1 CPUs for 1 workers"));
  EXPECT_THAT(text, HasSubstr("manager.address: 'nowhere' is not host:port"));
  EXPECT_THAT(text, HasSubstr("manager.ca: is missing"));
  EXPECT_THAT(text, HasSubstr("no [[port]]"));
}

TEST(DataplaneConfig, ASyntaxErrorHasItsLine) {
  EXPECT_THAT(reason("id = \"a\"\nworkers = = 2\n"), HasSubstr("dp.toml:2:"));
}

TEST(DataplaneConfig, TwoPortsMayNotShareANameOrADevice) {
  const auto text = reason(with("[[port]]\nname = \"web\"\ndevice = \"net_ring0\"\n"));
  EXPECT_THAT(text, HasSubstr("'web' is used twice"));
  EXPECT_THAT(text, HasSubstr("'net_ring0' is used twice"));
}

TEST(DataplaneConfig, ASecondUplinkIsRefusedWithTheRemedy) {
  EXPECT_THAT(reason(with("role = \"uplink\"\n[[port]]\nname = \"u2\"\ndevice = \"net_ring1\"\nrole = \"uplink\"\n")),
              HasSubstr("net_bonding"));
}

TEST(DataplaneConfig, GuestsAreNotOfferedToHaveSegmentsCut) {
  EXPECT_THAT(reason(with("[[port]]\nname = \"v\"\ndevice = \"net_vhost0,iface=/run/v.sock,tso=1\"\n")),
              HasSubstr("tso=1 lets the guest send segments that nobody here cuts"));
}

TEST(DataplaneConfig, CaptureTimeNeedsACapture) {
  EXPECT_THAT(reason("clock.source = \"capture\"\n" + std::string(kLeast)), HasSubstr("no port is a net_pcap device"));
}

TEST(DataplaneConfig, FlowsAreFollowedInAThousandRecordsOrNone) {
  EXPECT_EQ(reason(with("[flow]\ncapacity = 0\n")), "accepted");
  EXPECT_THAT(reason(with("[flow]\ncapacity = 100\n")), HasSubstr("at least 1024, or 0"));
}

TEST(DataplaneConfig, AMissingFileIsNotFound) {
  const auto config = load("/nonexistent/dp.toml");
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, ErrorCode::kNotFound);
}

TEST(DataplaneConfig, TheExampleIsValidAndPathsAreRelativeToIt) {
  const std::filesystem::path file = std::filesystem::path(FOREFLOW_SOURCE_DIR) / "configs/dataplane.toml";
  const auto config = load(file);
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_TRUE(config->manager.ca.is_absolute());
}

}  // namespace
}  // namespace foreflow::config
