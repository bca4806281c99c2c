// SPDX-License-Identifier: Apache-2.0
#include "common/address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow {
namespace {

using ::testing::HasSubstr;

TEST(Address, ReadsWhatOperatorsWrite) {
  EXPECT_EQ(parse_address("node1.example:7443"), (Address{"node1.example", 7443, ""}));
  EXPECT_EQ(parse_address("0.0.0.0:0"), (Address{"0.0.0.0", 0, ""}));
  EXPECT_EQ(parse_address("[2001:db8::1]:65535"), (Address{"2001:db8::1", 65535, ""}));
  EXPECT_EQ(parse_address("unix:/run/foreflow.sock"), (Address{"", 0, "/run/foreflow.sock"}));
}

TEST(Address, APortHasSixteenBits) {
  for (const auto* text : {"h:65536", "h:99999", "h:-1", "h:", "h:80a", "h: 80", "h:+80", "h:99999999999999999999"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_THAT(address.error().message, HasSubstr("expected 0 to 65535")) << text;
  }
}

TEST(Address, SaysWhatIsWrongWithTheRest) {
  EXPECT_THAT(parse_address("nowhere").error().message, HasSubstr("there is no port"));
  EXPECT_THAT(parse_address("").error().message, HasSubstr("there is no port"));
  EXPECT_THAT(parse_address(":7443").error().message, HasSubstr("no name or address"));
  EXPECT_THAT(parse_address("http://h:80").error().message, HasSubstr("no name or address"));
  EXPECT_THAT(parse_address("::1:7443").error().message, HasSubstr("in brackets"));
  EXPECT_THAT(parse_address("[node]:7443").error().message, HasSubstr("no name or address"));
  EXPECT_THAT(parse_address("unix:relative").error().message, HasSubstr("begins with '/'"));
  EXPECT_THAT(parse_address("unix:/" + std::string(107, 'a')).error().message, HasSubstr("at most 107"));
}

TEST(Address, WhoConnectsNeedsAPort) {
  EXPECT_TRUE(parse_peer_address("h:1"));
  EXPECT_TRUE(parse_peer_address("unix:/s"));
  EXPECT_THAT(parse_peer_address("h:0").error().message, HasSubstr("1 to 65535"));
}

}  // namespace
}  // namespace foreflow
