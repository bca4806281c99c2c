// SPDX-License-Identifier: Apache-2.0
// VMs on a link that is too small, step by step.
#include "host/app/backtest/contention.h"

#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

namespace foreflow::backtest {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSeason = 24;

Recording recording(const std::string& name, const std::vector<double>& values) {
  Recording made{.name = name, .kind = {}, .series = predictor::Series(kSeason), .observed = {}};
  for (const double value : values) made.series.push(value);
  made.observed.assign(values.size(), 1);
  return made;
}

// Shares by step and series; a row holds until the next.
std::map<std::string, std::map<std::size_t, double>> parsed(const std::string& rows) {
  std::map<std::string, std::map<std::size_t, double>> shares;
  std::istringstream lines(rows);
  for (std::string line; std::getline(lines, line);) {
    const auto first = line.find(',');
    const auto second = line.find(',', first + 1);
    shares[line.substr(0, first)][std::stoul(line.substr(first + 1, second - first - 1))] =
        std::stod(line.substr(second + 1));
  }
  return shares;
}

class OneLink : public ::testing::Test {
 protected:
  OneLink() {
    std::vector<double> steady(10 * kSeason, 5e5);
    std::vector<double> waking(10 * kSeason, 1e4);
    for (std::size_t i = 9 * kSeason; i < waking.size(); ++i) waking[i] = 5e6;
    recordings_ = {recording("steady", steady), recording("waking", waking)};
    link_ = {"link 0", {{recordings_.data(), 1e6}, {&recordings_[1], 1e6}}};
  }
  std::vector<Recording> recordings_;
  SharedLink link_;
};

TEST_F(OneLink, IsSharedWithoutItsCapacityBeingExceeded) {
  const auto rows = replay_link(link_, {.first = 8 * kSeason});
  ASSERT_TRUE(rows) << rows.error().message;
  const auto shares = parsed(*rows);
  const auto& steady = shares.at("steady");
  const auto& waking = shares.at("waking");
  for (std::size_t step = 8 * kSeason; step < 10 * kSeason; ++step)
    EXPECT_LE(std::prev(steady.upper_bound(step))->second + std::prev(waking.upper_bound(step))->second, 1.4e6) << step;
  // Who wakes gets what the other probably does not need, never what it does.
  EXPECT_GE(std::prev(steady.upper_bound(10 * kSeason))->second, 5e5);
  EXPECT_GT(std::prev(waking.upper_bound(10 * kSeason))->second, std::prev(waking.upper_bound(9 * kSeason))->second);
}

TEST_F(OneLink, IsDecidedFromThePastAlone) {
  const auto whole = replay_link(link_, {.first = 8 * kSeason});
  for (Recording& one : recordings_) one.series = predictor::Series(one.series.view().first(9 * kSeason));
  const auto until = replay_link(link_, {.first = 8 * kSeason});
  ASSERT_TRUE(whole && until);
  auto expected = parsed(*whole);
  for (auto& [name, rows] : expected) rows.erase(rows.lower_bound(9 * kSeason), rows.end());
  EXPECT_EQ(parsed(*until), expected);
}

TEST_F(OneLink, GivesRightsByWeightWhereItsDeviceLends) {
  link_.members[1].p99 = 4e6;
  const auto rows = replay_link(link_, {.lending = true, .first = 8 * kSeason});
  ASSERT_TRUE(rows) << rows.error().message;
  const auto shares = parsed(*rows);
  EXPECT_NEAR(shares.at("steady").begin()->second, .7 * 5e6, 1);
  EXPECT_NEAR(shares.at("waking").begin()->second, 4 * .7 * 5e6, 4);
}

TEST_F(OneLink, KeepsAnIdleGuaranteeFreeAsFarAsItsMarginSays) {
  const auto share_of_waking = [&](double margin) {
    link_.members[1].margin = margin;
    double least = 1e9;
    const auto played = play(link_, {.first = 8 * kSeason, .last = 9 * kSeason},
                             [&](std::size_t, std::span<const BytesPerSecond> shares) {
                               least = std::min(least, static_cast<double>(shares[1].value));
                             });
    EXPECT_TRUE(played);
    return least;
  };
  // Both are guaranteed .6 of .7e6 each. The other has burst, and wants all of the link.
  recordings_[0] = recording("steady", std::vector<double>(10 * kSeason, 5e6));
  EXPECT_NEAR(share_of_waking(kWholeGuarantee), .42e6, 1e3);
  EXPECT_LT(share_of_waking(1), .3e6);
}

TEST(Groups, NameWhatIsWrong) {
  const std::vector<Recording> known{recording("a", {1, 2})};
  const fs::path file = fs::temp_directory_path() / "foreflow_groups.csv";
  const auto read = [&](const char* text) {
    std::ofstream(file) << text;
    return read_links(file, known);
  };
  const auto good = read("series,link,p99,link_p99_sum\na,0,17.5,17.5\n");
  ASSERT_TRUE(good) << good.error().message;
  ASSERT_EQ(good->size(), 1U);
  EXPECT_EQ((*good)[0].members[0].p99, 17.5);
  EXPECT_EQ(read("series,link,p99\nb,0,1\n").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(read("series,link,p99\na,0,-1\n").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(read("a,0,1\n").error().code, ErrorCode::kMalformed);
  fs::remove(file);
}

}  // namespace
}  // namespace foreflow::backtest
