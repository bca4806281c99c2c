// SPDX-License-Identifier: Apache-2.0
#include "common/files.h"

#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_directory.h"

namespace foreflow {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
namespace fs = std::filesystem;

std::vector<fs::path> entries(const fs::path& folder) {
  return {fs::directory_iterator(folder), fs::directory_iterator()};
}

TEST(ReplaceFile, LeavesTheNewContentsAndNothingBesideThem) {
  const test::TemporaryDirectory folder;
  ASSERT_TRUE(replace_file(folder / "f", "old and longer"));
  ASSERT_TRUE(replace_file(folder / "f", "new"));
  EXPECT_EQ(read_file(folder / "f", 100), "new");
  EXPECT_THAT(entries(folder.path()), SizeIs(1));
  EXPECT_EQ(fs::status(folder / "f").permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST(ReplaceFile, AFailureNamesTheFileAndLeavesTheOldContents) {
  const test::TemporaryDirectory folder;
  EXPECT_THAT(replace_file(folder / "absent" / "f", "x").error().message, HasSubstr("absent/f"));
  fs::create_directory(folder / "f");  // a folder cannot be replaced by a file
  std::ofstream(folder / "f" / "kept") << "x";
  ASSERT_FALSE(replace_file(folder / "f", "y"));
  EXPECT_TRUE(fs::exists(folder / "f" / "kept"));
}

TEST(ReplaceFile, AFullDiskIsSaidAndLeavesNoHalfFile) {
  const test::TemporaryDirectory folder;
  fs::create_symlink("/dev/full", folder / "f.new");
  const auto replaced = replace_file(folder / "f", "x");
  ASSERT_FALSE(replaced);
  EXPECT_EQ(replaced.error().code, ErrorCode::kExhausted);
  EXPECT_THAT(entries(folder.path()), IsEmpty());
}

TEST(ReadFile, TellsAnAbsentFileFromATooLargeOne) {
  const test::TemporaryDirectory folder;
  EXPECT_EQ(read_file(folder / "f", 10).error().code, ErrorCode::kNotFound);
  std::ofstream(folder / "f") << "0123456789";
  EXPECT_EQ(read_file(folder / "f", 10), "0123456789");
  EXPECT_EQ(read_file(folder / "f", 9).error().code, ErrorCode::kExhausted);
  EXPECT_EQ(read_file(folder.path(), 1 << 20).error().code, ErrorCode::kIo);
}

TEST(ReadSecret, IsForTheOwnerAlone) {
  const test::TemporaryDirectory folder;
  ASSERT_TRUE(replace_file(folder / "s", "secret\nmore\n"));
  EXPECT_EQ(read_secret(folder / "s"), "secret");
  fs::permissions(folder / "s", fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(read_secret(folder / "s").error().message, HasSubstr("mode 0600"));
}

TEST(File, IsLockedByOneAtATime) {
  const test::TemporaryDirectory folder;
  const auto first = File::open(folder / "lock", O_RDWR | O_CREAT);
  const auto second = File::open(folder / "lock", O_RDWR | O_CREAT);
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(first->lock());
  EXPECT_EQ(second->lock().error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace foreflow
