// SPDX-License-Identifier: Apache-2.0
#include "common/toml_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/units.h"

namespace foreflow {
namespace {

using ::testing::HasSubstr;

TomlDocument parsed(std::string_view text) {
  auto document = TomlDocument::parse(text, "t.toml");
  EXPECT_TRUE(document) << (document ? "" : document.error().message);
  return std::move(*document);
}

TEST(TomlReader, AMissingKeyLeavesTheDefault) {
  auto document = parsed("");
  std::uint32_t workers = 7;
  document.root().read("workers", workers);
  document.root().finish();
  EXPECT_EQ(workers, 7u);
  EXPECT_TRUE(document.check());
}

TEST(TomlReader, AWrongTypeIsReportedAndLeavesTheDefault) {
  auto document = parsed("\nworkers = \"two\"\n");
  std::uint32_t workers = 7;
  document.root().read("workers", workers);
  EXPECT_EQ(workers, 7u);
  ASSERT_FALSE(document.check());
  EXPECT_THAT(document.check().error().message, HasSubstr("t.toml:2: workers: expected an integer"));
}

TEST(TomlReader, ANegativeNumberIsNotAnUnsignedOne) {
  auto document = parsed("n = -1\n");
  std::uint64_t n = 3;
  document.root().read("n", n);
  EXPECT_EQ(n, 3u);
  EXPECT_FALSE(document.check());
}

TEST(TomlReader, AParserOfUnitsGivesItsOwnReason) {
  auto document = parsed("rate = \"fast\"\n");
  BytesPerSecond rate{1};
  document.root().read("rate", rate, parse_rate);
  EXPECT_THAT(document.check().error().message, HasSubstr("'fast' is not a rate"));
}

TEST(TomlReader, UnknownKeysOfNestedTablesAreNamedByTheirPath) {
  auto document = parsed("[[vm]]\nname = \"a\"\n[[vm]]\nnam = \"b\"\n");
  for (auto& table : document.root().tables("vm")) {
    std::string name;
    table.read("name", name);
    table.finish();
  }
  document.root().finish();
  EXPECT_THAT(document.check().error().message, HasSubstr("t.toml:4: vm[1].nam: unknown key; did you mean 'name'?"));
}

TEST(TomlReader, AllReasonsComeInOrderOfLines) {
  auto document = parsed("b = 1\na = 2\n");
  document.root().finish();
  const auto text = document.check().error().message;
  EXPECT_LT(text.find("t.toml:1: b"), text.find("t.toml:2: a"));
}

TEST(TomlReader, AWordOutsideOfTheSetListsTheSet) {
  auto document = parsed("mode = \"forced\"\n");
  int mode = 0;
  document.root().read_word<int>("mode", mode, {{"observe", 1}, {"enforce", 2}});
  EXPECT_THAT(document.check().error().message, HasSubstr("'forced' is not one of 'observe', 'enforce'"));
}

TEST(Nearest, FindsTypingErrorsOnly) {
  EXPECT_EQ(nearest("guarante", {"guarantee", "cap"}), "guarantee");
  EXPECT_EQ(nearest("colour", {"guarantee", "cap"}), std::nullopt);
}

TEST(TomlTable, KeysOfATableWithNamesOfTheUsers) {
  auto document = TomlDocument::parse("[b]\ny = 1\nx = 2\n[a]\n", "f.toml");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->root().keys(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(document->root().table("b")->keys(), (std::vector<std::string>{"x", "y"}));
}

}  // namespace
}  // namespace foreflow
