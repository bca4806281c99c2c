// SPDX-License-Identifier: Apache-2.0
#include "host/store/disk_buffer.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "host/store/journal_record.h"
#include "host/store/watermarks.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::store {
namespace {

class DiskBufferTest : public ::testing::Test {
 protected:
  DiskBufferTest() { config_.folder = folder_ / "buffer"; }

  void open() {
    buffer_.reset();
    recovered_.clear();
    auto opened = DiskBuffer::open(config_, [this](std::string_view record) { recovered_.emplace_back(record); });
    ASSERT_TRUE(opened) << opened.error().message;
    buffer_ = std::move(*opened);
  }
  std::vector<std::string> read_all() {
    std::vector<std::string> records;
    auto position = buffer_->begin();
    for (;;) {
      const auto batch = buffer_->read(position, 64);
      EXPECT_TRUE(batch) << batch.error().message;
      if (!batch || (batch->records.empty() && batch->gap.empty())) return records;
      gap_ += batch->gap;
      records.insert(records.end(), batch->records.begin(), batch->records.end());
      position = batch->end;
    }
  }
  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(config_.folder))
      if (entry.path().extension() == ".log") found.push_back(entry.path());
    std::sort(found.begin(), found.end());
    return found;
  }
  static Status nothing() { return {}; }

  test::TemporaryDirectory folder_;
  DiskBuffer::Config config_;
  std::unique_ptr<DiskBuffer> buffer_;
  std::vector<std::string> recovered_;
  std::string gap_;  // of read_all()
};

TEST_F(DiskBufferTest, ReadsWhatWasAppendedInOrder) {
  open();
  for (const auto* record : {"one", "", "three"}) ASSERT_TRUE(buffer_->append(record));
  EXPECT_EQ(read_all(), (std::vector<std::string>{"one", "", "three"}));
}

TEST_F(DiskBufferTest, HasItAllAfterReopeningAndGoesOnBehindIt) {
  open();
  ASSERT_TRUE(buffer_->append("one"));
  open();
  EXPECT_EQ(recovered_, std::vector<std::string>{"one"});
  ASSERT_TRUE(buffer_->append("two"));
  open();
  EXPECT_EQ(recovered_, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(read_all(), recovered_);
}

TEST_F(DiskBufferTest, SkipsATornTailOfAnyLength) {
  open();
  ASSERT_TRUE(buffer_->append("first"));
  ASSERT_TRUE(buffer_->append("second"));
  buffer_.reset();
  const auto file = files().at(0);
  const auto whole = std::filesystem::file_size(file);
  const auto second = whole - 12 - 6;
  for (auto size = whole - 1;; --size) {
    std::filesystem::resize_file(file, size);
    open();
    EXPECT_EQ(recovered_.size(), size >= second ? 1u : 0u) << size;
    EXPECT_EQ(read_all(), recovered_);
    if (size == 0) break;
  }
  ASSERT_TRUE(buffer_->append("after"));
  open();
  EXPECT_EQ(recovered_, std::vector<std::string>{"after"});
}

TEST_F(DiskBufferTest, DoesNotTakeADamagedRecordForAGoodOne) {
  open();
  ASSERT_TRUE(buffer_->append("first"));
  ASSERT_TRUE(buffer_->append("second"));
  buffer_.reset();
  std::fstream file(files().at(0), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-2, std::ios::end);
  file.put('X');
  file.close();
  open();
  EXPECT_EQ(recovered_, std::vector<std::string>{"first"});
  EXPECT_EQ(buffer_->unreadable(), 12u + 6u);
}

TEST_F(DiskBufferTest, PassesOverARottenRecord) {
  const std::vector<std::string> others{"first", "third", "fourth"};
  for (const int rotten : {12 + 17, 12 + 17 + 4, 12 + 17 + 8, 12 + 17 + 12}) {  // mark, size, checksum, payload
    test::TemporaryDirectory folder;
    config_.folder = folder / "buffer";
    open();
    for (const auto* record : {"first", "second", "third", "fourth"}) ASSERT_TRUE(buffer_->append(record));
    std::fstream file(files().at(0), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(rotten).put('\xff');
    file.close();
    gap_.clear();
    EXPECT_EQ(read_all(), others) << "while open, byte " << rotten;
    EXPECT_EQ(gap_.size(), 12u + 6u);
    open();
    EXPECT_EQ(recovered_, others) << "after opening, byte " << rotten;
    EXPECT_EQ(buffer_->unreadable(), 12u + 6u);
    EXPECT_EQ(read_all(), others);
    buffer_.reset();
  }
}

TEST_F(DiskBufferTest, ARottenEndOfTheBufferIsPassedTooAndNewRecordsCome) {
  open();
  ASSERT_TRUE(buffer_->append("first"));
  ASSERT_TRUE(buffer_->append("second"));
  std::fstream(files().at(0), std::ios::in | std::ios::out | std::ios::binary).seekp(-1, std::ios::end).put('X');
  EXPECT_EQ(read_all(), std::vector<std::string>{"first"});
  ASSERT_TRUE(buffer_->append("third"));
  EXPECT_EQ(read_all(), (std::vector<std::string>{"first", "third"}));
}

TEST_F(DiskBufferTest, AForeignFileIsSkippedAndCounted) {
  std::filesystem::create_directories(config_.folder);
  std::ofstream(config_.folder / "0000000000000005.log") << "not ours at all";
  std::ofstream(config_.folder / "notes.txt") << "leave me";
  open();
  EXPECT_TRUE(recovered_.empty());
  EXPECT_EQ(buffer_->unreadable(), 15u);
  ASSERT_TRUE(buffer_->append("one"));
  EXPECT_EQ(read_all(), std::vector<std::string>{"one"});
  EXPECT_TRUE(std::filesystem::exists(config_.folder / "notes.txt"));
}

TEST_F(DiskBufferTest, GivesRoomBackFileByFile) {
  config_.limit = 1'600;
  open();
  const std::string record(60, 'x');
  int kept = 0;
  while (buffer_->append(record)) ++kept;
  EXPECT_GT(kept, 15);
  EXPECT_LE(buffer_->size(), config_.limit);
  const auto full = buffer_->append(record);
  EXPECT_EQ(full.error().code, ErrorCode::kExhausted);

  const auto batch = buffer_->read(buffer_->begin(), 800);
  ASSERT_TRUE(batch);
  int saved = 0;
  ASSERT_TRUE(buffer_->release(batch->end, [&]() -> Status {
    ++saved;
    return {};
  }));
  EXPECT_EQ(saved, 1);
  EXPECT_TRUE(buffer_->append(record));
  EXPECT_EQ(read_all().size(), static_cast<std::size_t>(kept) + 1 - batch->records.size());
}

TEST_F(DiskBufferTest, RemovesNothingThatCouldNotBeSavedBefore) {
  config_.segment_size = 64;
  open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(buffer_->append(std::string(40, 'x')));
  const auto before = files().size();
  EXPECT_FALSE(buffer_->release(buffer_->end(), [] { return fail(ErrorCode::kIo, "no"); }));
  EXPECT_EQ(files().size(), before);
  ASSERT_TRUE(buffer_->release(buffer_->end(), nothing));
  EXPECT_EQ(files().size(), 1u);  // the one being written
  ASSERT_TRUE(buffer_->release(buffer_->end(), nothing, /*all=*/true));
  EXPECT_TRUE(files().empty());
  EXPECT_EQ(buffer_->size(), 0u);
  ASSERT_TRUE(buffer_->append("again"));
  EXPECT_EQ(read_all(), std::vector<std::string>{"again"});
}

TEST_F(DiskBufferTest, ARecordLargerThanAFileIsARecord) {
  config_.segment_size = 64;
  open();
  const std::string large(100'000, 'x');
  ASSERT_TRUE(buffer_->append("small"));
  ASSERT_TRUE(buffer_->append(large));
  EXPECT_EQ(read_all(), (std::vector<std::string>{"small", large}));
}

TEST_F(DiskBufferTest, OneProcessOnly) {
  open();
  const auto second = DiskBuffer::open(config_, [](std::string_view) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(DiskBufferTest, AppendsFromThreadsWhileOneReadsAndReleases) {
  config_.segment_size = 512;
  open();
  constexpr int kThreads = 4, kEach = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) EXPECT_TRUE(buffer_->append(std::to_string(t) + " " + std::to_string(i)));
    });
  std::vector<int> next(kThreads, 0);
  auto position = buffer_->begin();
  for (int seen = 0; seen < kThreads * kEach;) {
    const auto batch = buffer_->read(position, 200);
    ASSERT_TRUE(batch) << batch.error().message;
    for (const auto& record : batch->records) {
      const auto t = record[0] - '0';
      EXPECT_EQ(record, std::to_string(t) + " " + std::to_string(next[t]++));
      ++seen;
    }
    position = batch->end;
    ASSERT_TRUE(buffer_->release(position, nothing));
  }
  for (auto& thread : threads) thread.join();
}

TEST_F(DiskBufferTest, WatermarksSurviveInTheirFile) {
  Watermarks marks;
  marks.raise({"dpu 1\n", 1, 5});
  marks.raise({"dpu 1\n", UINT64_MAX, 7});
  marks.raise({"dpu-2", 1, 9});
  const auto path = folder_ / "watermarks";
  ASSERT_TRUE(marks.save(path));
  Watermarks loaded;
  ASSERT_TRUE(loaded.load(path));
  EXPECT_EQ(loaded.get("dpu 1\n", 1), 5u);
  EXPECT_EQ(loaded.get("dpu 1\n", UINT64_MAX), 7u);
  EXPECT_EQ(loaded.get("dpu-2", 1), 9u);
  EXPECT_EQ(loaded.get("dpu-2", 2), 0u);
  EXPECT_TRUE(Watermarks().load(folder_ / "missing"));
}

TEST_F(DiskBufferTest, DamagedWatermarksAreToldWithTheirFile) {
  const auto path = folder_ / "watermarks";
  for (const auto* text : {"", "x\n", "foreflow-watermarks 1 0\n1 2 dpu\n", "foreflow-watermarks 1 x\n"}) {
    std::ofstream(path) << text;
    const auto loaded = Watermarks().load(path);
    ASSERT_FALSE(loaded) << text;
    EXPECT_NE(loaded.error().message.find(path.string()), std::string::npos);
  }
}

TEST_F(DiskBufferTest, OldBootsOfADataplaneGoTheLivingStay) {
  Watermarks marks;
  for (std::uint64_t boot = 1; boot <= 200; ++boot) {
    marks.raise({"dpu", boot, 1});
    marks.raise({"dpu", 1, boot});
  }
  EXPECT_EQ(marks.get("dpu", 1), 200u);
  EXPECT_EQ(marks.get("dpu", 200), 1u);
  EXPECT_EQ(marks.get("dpu", 2), 0u);
}

TEST(JournalRecord, ComesBackAsItWent) {
  const auto bytes = encode_record({Watermark{"dpu 1", UINT64_MAX, 7}, "a\nb\n"});
  const auto record = decode_record(bytes);
  ASSERT_TRUE(record);
  EXPECT_EQ(record->watermark->dataplane, "dpu 1");
  EXPECT_EQ(record->watermark->boot_id, UINT64_MAX);
  EXPECT_EQ(record->watermark->sequence, 7u);
  EXPECT_EQ(record->lines, "a\nb\n");
  const auto plain = encode_record({std::nullopt, "x\n"});
  EXPECT_FALSE(decode_record(plain)->watermark);
  EXPECT_EQ(decode_record(plain)->lines, "x\n");
}

TEST(JournalRecord, CutHeadsAreErrors) {
  const auto bytes = encode_record({Watermark{"dpu", 1, 7}, ""});
  for (std::size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(decode_record(std::string_view(bytes).substr(0, size))) << size;
  EXPECT_FALSE(decode_record("\x05"));
}

}  // namespace
}  // namespace foreflow::store
