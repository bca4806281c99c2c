// SPDX-License-Identifier: Apache-2.0
#include "common/ids.h"

#include <gtest/gtest.h>

namespace foreflow {
namespace {

TEST(ParseMac, ReadsTheUsualFormOnly) {
  EXPECT_EQ(parse_mac("52:54:00:00:00:0a")->octets[5], 0x0a);
  for (const auto* text :
       {"", "52:54:00:00:00", "52-54-00-00-00-01", "52:54:00:00:00:0g", "52:54:00:00:00:001", "+2:54:00:00:00:01"})
    EXPECT_FALSE(parse_mac(text)) << text;
}

TEST(ParseMac, IsTheInverseOfToString) {
  const MacAddress mac{{0x52, 0x54, 0x00, 0xff, 0x10, 0x01}};
  EXPECT_EQ(parse_mac(to_string(mac)), mac);
}

}  // namespace
}  // namespace foreflow
