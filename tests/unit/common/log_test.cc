// SPDX-License-Identifier: Apache-2.0
#include "common/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::log {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

TEST(Log, AForeignStringCannotForgeALine) {
  testing::internal::CaptureStderr();
  info("session refused", {{"peer", "x\nlevel=info msg=\"all fine\""}, {"port", 7}});
  const auto line = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  EXPECT_THAT(line, HasSubstr(R"(peer="x\x0alevel=info msg=\"all fine\"")"));
  EXPECT_THAT(line, EndsWith("port=7\n"));
}

TEST(Log, LongValuesAreCut) {
  testing::internal::CaptureStderr();
  info("answer", {{"body", std::string(100'000, 'a')}});
  EXPECT_LT(testing::internal::GetCapturedStderr().size(), 1'200u);
}

TEST(Log, LinesBelowTheLevelAreDropped) {
  testing::internal::CaptureStderr();
  debug("detail");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace foreflow::log
