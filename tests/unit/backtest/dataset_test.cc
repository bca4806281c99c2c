// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/dataset.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "host/app/backtest/cases.h"
#include "host/app/backtest/parallel.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::backtest {
namespace {

using test::TemporaryDirectory;

void write(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

TEST(Dataset, TakesTheKindsAskedForAndWhatTheManifestDoesNotKnow) {
  const TemporaryDirectory directory;
  write(directory.path() / "manifest.csv", "series,kind\nbusy,active\nquiet,sparse\n");
  for (const char* name : {"busy.csv", "quiet.csv", "mine.csv", "notes.txt"})
    write(directory.path() / name, "time_s,net,obs\n3900,1,1\n4200,2,0\n4500,-3,1\n");
  const auto recordings = read_folder(directory.path(), "net", {"active"});
  ASSERT_TRUE(recordings.has_value()) << recordings.error().message;
  ASSERT_EQ(recordings->size(), 2U);
  const Recording& busy = recordings->at(0);
  EXPECT_EQ(busy.name, "busy");
  EXPECT_EQ(busy.kind, "active");
  EXPECT_EQ(busy.series.view().phase, 12U);
  EXPECT_TRUE(busy.series.view().is_gap(2));
  EXPECT_EQ(busy.observed, (std::vector<std::uint8_t>{1, 0, 0}));
  EXPECT_EQ(recordings->at(1).name, "mine");
}

TEST(Dataset, RefusesRowsOfAnotherStepWithTheLine) {
  const auto refused = [](const std::string& rows) {
    const TemporaryDirectory directory;
    write(directory.path() / "mine.csv", "time_s,net\n" + rows);
    const auto recordings = read_folder(directory.path(), "net", {});
    return recordings ? std::string() : recordings.error().message;
  };
  EXPECT_EQ(refused("300,1\n600,\n900,3\n"), "") << "an empty cell is a gap";
  EXPECT_EQ(refused("300,1\n,2\n900,3\n"), "") << "a row without a time is the next";
  EXPECT_NE(refused("60,1\n120,2\n").find("mine.csv:3: 'time_s' is 60 s after the row before; rows are 300 s apart"),
            std::string::npos);
  EXPECT_NE(refused("300,1\n600,2\n1200,3\n").find("mine.csv:4: 'time_s' is 600 s"), std::string::npos);
  EXPECT_NE(refused("300,1\n300,2\n").find("mine.csv:3: 'time_s' is 0 s"), std::string::npos);
}

TEST(Dataset, SaysThatAFolderHasNoSeries) {
  const TemporaryDirectory directory;
  EXPECT_FALSE(read_folder(directory.path(), "net", {}).has_value());
  EXPECT_FALSE(read_folder(directory.path() / "none", "net", {}).has_value());
}

TEST(Dataset, ReadsASeriesPerLine) {
  const TemporaryDirectory directory;
  write(directory.path() / "rows.csv", "H1,1,2,3\nH2,4\n");
  const auto rows = read_rows(directory.path() / "rows.csv");
  ASSERT_TRUE(rows.has_value());
  EXPECT_EQ(rows->at(0).series.size(), 3U);
  EXPECT_EQ(rows->at(1).name, "H2");
  write(directory.path() / "rows.csv", "H1,1,2,3\nH2,x\n");
  EXPECT_NE(read_rows(directory.path() / "rows.csv").error().message.find("rows.csv:2: value 1"), std::string::npos);
}

Recording recording(std::size_t rows) {
  Recording made{.name = "a", .kind = {}, .series = predictor::Series(kDay), .observed = {}};
  for (std::size_t i = 0; i < rows; ++i) made.series.push(static_cast<double>(i % 97));
  made.observed.assign(rows, 1);
  return made;
}

TEST(Cases, OfAVmAvoidDaysThatWereNotObserved) {
  Recording vm = recording(10'000);
  EXPECT_EQ(vm_cases(std::vector{vm}).size(), 2U);
  EXPECT_EQ(vm_cases(std::vector{vm})[0].known, 5'500U);
  vm.observed[5'700] = 0;
  EXPECT_EQ(vm_cases(std::vector{vm})[0].known, 5'704U);
}

TEST(Cases, OfALinkHaveTwoWeeksBeforeAndADayBehind) {
  const std::vector links{recording(14'772)};
  const auto cases = link_cases(links);
  EXPECT_EQ(cases.size(), 60U);
  EXPECT_EQ(earliest(cases), 5'908U);
  EXPECT_EQ(cases.back().known, 14'033U);
  EXPECT_TRUE(link_cases(std::vector{recording(4'200)}).empty());
}

TEST(Parallel, DoesEachPieceOnce) {
  std::vector<std::atomic<int>> done(1'000);
  for_each_parallel(done.size(), 4, "", [&](std::size_t i) { ++done[i]; });
  for (const auto& times : done) EXPECT_EQ(times, 1);
}

}  // namespace
}  // namespace foreflow::backtest
