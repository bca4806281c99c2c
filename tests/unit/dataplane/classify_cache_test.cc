// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/crc32.h"
#include "common/files.h"
#include "dataplane/classify/database_cache.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::classify {
namespace {

namespace fs = std::filesystem;

class PatternCache : public ::testing::Test {
 protected:
  // Whether the text is found by the pattern's database from a cache of its own.
  bool finds(const Pattern& pattern, std::string_view text) {
    DatabaseCache cache(directory_.path() / "cache");
    const NumberedPattern numbered{&pattern, 7};
    auto database = cache.get({&numbered, 1});
    EXPECT_TRUE(database) << database.error().message;
    hits_ = cache.hits();
    RegexScratch scratch;
    EXPECT_TRUE(prepare(database->get(), scratch));
    Matches matches;
    scan(database->get(), scratch.get(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, matches);
    return matches.count == 1 && matches.ids[0] == 7;
  }
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(directory_.path() / "cache")) found.push_back(entry.path());
    return found;
  }

  test::TemporaryDirectory directory_;
  std::size_t hits_ = 0;
};

TEST_F(PatternCache, TheSecondLoadReadsWhatTheFirstCompiled) {
  const Pattern pattern{.regex = "abc"};
  EXPECT_TRUE(finds(pattern, "abcd"));
  EXPECT_EQ(hits_, 0u);
  EXPECT_TRUE(finds(pattern, "abcd"));
  EXPECT_EQ(hits_, 1u);
}

TEST_F(PatternCache, AnotherPlaceOfAPatternIsAnotherDatabase) {
  EXPECT_TRUE(finds({.regex = "abc"}, "abc"));
  EXPECT_FALSE(finds({.regex = "abc", .offset = 1}, "abc"));
  EXPECT_FALSE(finds({.regex = "abc", .depth = 3}, "-abc"));
  EXPECT_EQ(files().size(), 3u);
  EXPECT_EQ(hits_, 0u);
}

TEST_F(PatternCache, EveryDamageIsCompiledAndReplaced) {
  const Pattern pattern{.regex = "abc"};
  ASSERT_TRUE(finds(pattern, "abc"));
  const auto file = files().at(0);
  const auto good = read_file(file, 1u << 20).value();
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 50) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x20);
    ASSERT_TRUE(replace_file(file, bad));
    EXPECT_TRUE(finds(pattern, "abc")) << at;
    EXPECT_EQ(hits_, 0u) << at;
    EXPECT_EQ(read_file(file, 1u << 20).value(), good) << at;
  }
  for (const std::size_t size : {std::size_t{0}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    ASSERT_TRUE(replace_file(file, good.substr(0, size)));
    EXPECT_TRUE(finds(pattern, "abc")) << size;
    EXPECT_EQ(hits_, 0u) << size;
  }
}

// A file whose key differs in one character, its checksum right: made by another Hyperscan, or for another CPU.
TEST_F(PatternCache, WhatAnotherHyperscanOrCpuCompiledIsNotUsed) {
  const Pattern pattern{.regex = "abc"};
  ASSERT_TRUE(finds(pattern, "abc"));
  const auto file = files().at(0);
  const auto good = read_file(file, 1u << 20).value();
  const auto header = good.substr(0, good.find('\n'));
  for (const std::string_view word : {"hyperscan ", "\ncpu ", "\nflags "}) {
    auto body = good.substr(header.size() + 1);
    const auto at = body.find(word);
    ASSERT_NE(at, std::string::npos) << word;
    body[at + word.size()] = body[at + word.size()] == '9' ? '8' : '9';
    const auto sum_at = header.rfind(' ') - 8;
    auto foreign = header;
    foreign.replace(sum_at, 8, fmt::format("{:08x}", crc32(body)));
    ASSERT_TRUE(replace_file(file, foreign + "\n" + body));
    EXPECT_TRUE(finds(pattern, "abc")) << word;
    EXPECT_EQ(hits_, 0u) << word;
    EXPECT_EQ(read_file(file, 1u << 20).value(), good) << word;
  }
}

TEST_F(PatternCache, ADirectoryThatCannotBeWrittenOnlyCostsTime) {
  std::ofstream(directory_.path() / "cache") << "a file where the directory should be";
  DatabaseCache cache(directory_.path() / "cache");
  const Pattern pattern{.regex = "abc"};
  const NumberedPattern numbered{&pattern, 1};
  EXPECT_TRUE(cache.get({&numbered, 1}));
}

TEST_F(PatternCache, KeepsTheNewestFilesOnly) {
  for (std::size_t i = 0; i < DatabaseCache::kMostFiles + 2; ++i) finds({.regex = "a" + std::to_string(i)}, "");
  EXPECT_EQ(files().size(), DatabaseCache::kMostFiles);
}

TEST_F(PatternCache, AnEmptyDirectoryMeansNone) {
  DatabaseCache cache({});
  const Pattern pattern{.regex = "abc"};
  const NumberedPattern numbered{&pattern, 1};
  EXPECT_TRUE(cache.get({&numbered, 1}));
  EXPECT_EQ(cache.hits(), 0u);
}

}  // namespace
}  // namespace foreflow::classify
