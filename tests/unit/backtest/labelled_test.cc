// SPDX-License-Identifier: Apache-2.0
// Series with timestamps, as operators export them.
#include "host/app/backtest/labelled.h"

#include <cmath>
#include <fstream>

#include <gtest/gtest.h>

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

class TimedFolder : public ::testing::Test {
 protected:
  TimedFolder() { fs::create_directories(root_ / "data" / "group"); }
  ~TimedFolder() override { fs::remove_all(root_); }
  void write(const std::string& name, const std::string& text) const { std::ofstream(root_ / name) << text; }

  fs::path root_ = fs::temp_directory_path() / (std::string("foreflow_labelled_") +
                                                ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST(Timestamps, AreReadInTheUsualForms) {
  EXPECT_EQ(seconds_of("1970-01-02 00:00:01"), 86'401);
  EXPECT_EQ(seconds_of("2015-02-26T21:42:53.123Z"), 1'424'986'973);
  EXPECT_EQ(seconds_of("1424986973"), 1'424'986'973);
}

TEST(Timestamps, ThatDoNotExistAreRefused) {
  for (const char* wrong :
       {"", "yesterday", "2015-02-30 00:00:00", "2015-02-26 24:00:00", "2015-02-26", "inf", "1e300"})
    EXPECT_FALSE(seconds_of(wrong)) << wrong;
}

TEST_F(TimedFolder, IsReadAtAnyDepth) {
  write("data/group/b.csv", "timestamp,value\n2015-01-01 00:00:00,1\n2015-01-01 00:05:00,\n");
  write("data/a.csv", "value,timestamp\n7,60\n");
  const auto all = read_timed_folder(root_);
  ASSERT_TRUE(all) << all.error().message;
  ASSERT_EQ(all->size(), 2U);
  EXPECT_EQ((*all)[0].name, "a.csv");
  EXPECT_EQ((*all)[0].seconds, std::vector<std::int64_t>{60});
  EXPECT_EQ((*all)[1].name, "group/b.csv");
  EXPECT_TRUE(std::isnan((*all)[1].values[1]));
}

TEST_F(TimedFolder, NamesTheLineThatIsWrong) {
  write("data/a.csv", "timestamp,value\n60,1\n120,much\n");
  const auto all = read_timed_folder(root_);
  ASSERT_FALSE(all);
  EXPECT_NE(all.error().message.find("a.csv:3: column 'value' is 'much'"), std::string::npos) << all.error().message;
}

TEST_F(TimedFolder, WithoutSeriesIsAnError) {
  EXPECT_EQ(read_timed_folder(root_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read_timed_folder(root_ / "nowhere").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace foreflow::backtest
