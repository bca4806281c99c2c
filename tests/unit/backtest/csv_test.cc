// SPDX-License-Identifier: Apache-2.0
#include "host/app/backtest/csv.h"

#include <cmath>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace foreflow::backtest {
namespace {

using test::TemporaryDirectory;

std::filesystem::path written(const TemporaryDirectory& directory, const std::string& name, const std::string& text) {
  const std::filesystem::path file = directory.path() / name;
  auto writer = TextWriter::open(file);
  EXPECT_TRUE(writer.has_value());
  writer->write(text);
  EXPECT_TRUE(writer->finish().has_value());
  return file;
}

TEST(Csv, ReadsPlainAndCompressedFilesAlike) {
  const TemporaryDirectory directory;
  for (const char* name : {"a.csv", "a.csv.gz"}) {
    const auto columns = read_columns(written(directory, name, "t,x,y\r\n1,2,3\r\n4,,6e1\r\n"), {"x"}, {"y", "z"});
    ASSERT_TRUE(columns.has_value()) << columns.error().message;
    ASSERT_EQ(columns->find("x")->size(), 2U);
    EXPECT_EQ(columns->find("x")->at(0), 2);
    EXPECT_TRUE(std::isnan(columns->find("x")->at(1)));
    EXPECT_EQ(columns->find("y")->at(1), 60);
    EXPECT_EQ(columns->find("z"), nullptr);
  }
}

TEST(Csv, CompressesWhatIsCalledSo) {
  const TemporaryDirectory directory;
  const std::string text(100'000, 'a');
  EXPECT_LT(std::filesystem::file_size(written(directory, "a.gz", text)), 1'000U);
}

TEST(Csv, NamesTheLineOfAMistake) {
  const TemporaryDirectory directory;
  auto message = [&](const std::string& text) {
    const auto columns = read_columns(written(directory, "bad.csv", text), {"x"}, {});
    return columns ? std::string() : columns.error().message;
  };
  EXPECT_NE(message("x,y\n1,2\n3,4\nfive,6\n").find("bad.csv:4: column 'x' is 'five', not a number"),
            std::string::npos);
  EXPECT_NE(message("x,y\n1,2\n3\n").find("bad.csv:3: 1 columns, the header has 2"), std::string::npos);
  EXPECT_NE(message("a,b\n1,2\n").find("bad.csv:1: no column 'x'"), std::string::npos);
  EXPECT_NE(message("").find("a header line is needed"), std::string::npos);
}

TEST(Csv, SaysThatAFileIsNotThere) {
  const auto columns = read_columns("/nonexistent/a.csv", {"x"}, {});
  ASSERT_FALSE(columns.has_value());
  EXPECT_EQ(columns.error().code, ErrorCode::kIo);
}

TEST(Csv, RefusesADamagedCompressedFile) {
  const TemporaryDirectory directory;
  const auto file = written(directory, "cut.csv.gz", "x\n" + std::string(5'000, '1') + "\n2\n");
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_FALSE(read_columns(file, {"x"}, {}).has_value());
}

}  // namespace
}  // namespace foreflow::backtest
