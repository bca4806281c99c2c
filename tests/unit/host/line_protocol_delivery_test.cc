// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <deque>

#include <gtest/gtest.h>
#include <zlib.h>

#include "host/store/line_delivery.h"

namespace foreflow::store {
namespace {

std::string gunzip(std::string_view packed) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string text(1 << 22, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  text.resize(stream.total_out);
  inflateEnd(&stream);
  return text;
}

// A database behind Post: has rights and limits, refuses lines with "bad", keeps the others.
class FakeInflux {
 public:
  Result<HttpAnswer> operator()(std::string_view path, std::string_view body, bool gzipped) {
    ++requests;
    if (down) return fail(ErrorCode::kUnavailable, "connection refused");
    if (path == "/query") {
      if (!may_create) return HttpAnswer{200, R"({"results":[{"error":"not authorized"}]})"};
      exists = true;
      return HttpAnswer{200, R"({"results":[{"statement_id":0}]})"};
    }
    EXPECT_EQ(path, "/write?db=fore%20flow&precision=ns");
    EXPECT_TRUE(gzipped);
    if (!exists) return HttpAnswer{404, R"({"error":"database not found: \"fore flow\""})"};
    return write(gunzip(body));
  }

  bool down = false, exists = true, may_create = true;
  std::size_t most_bytes = SIZE_MAX;
  std::size_t fails_after = SIZE_MAX;  // writes
  std::vector<std::string> stored;
  int requests = 0;

 private:
  HttpAnswer write(const std::string& text) {
    if (text.size() > most_bytes) return {413, R"({"error":"Request Entity Too Large"})"};
    if (stored.size() >= fails_after) return {503, "later"};
    std::size_t bad = 0, good = 0;
    for (const auto line : split_lines(text)) {
      if (line.find("bad") != std::string_view::npos)
        ++bad;
      else
        stored.emplace_back(line), ++good;
    }
    if (bad == 0) return {204, ""};
    if (good == 0) return {400, R"({"error":"unable to parse"})"};
    return {400, R"({"error":"partial write: dropped=)" + std::to_string(bad) + "\"}"};
  }
};

class LineDeliveryTest : public ::testing::Test {
 protected:
  Delivery deliver(const std::vector<std::string>& lines, bool create = true) {
    LineDelivery delivery("fore flow", create,
                          [this](auto path, auto body, auto, bool gz) { return server_(path, body, gz); });
    const std::vector<std::string_view> views(lines.begin(), lines.end());
    return delivery.deliver(views);
  }
  FakeInflux server_;
};

TEST_F(LineDeliveryTest, SendsGzippedLinesInOrder) {
  EXPECT_EQ(deliver({"a", "b"}).outcome, Outcome::kDone);
  EXPECT_EQ(server_.stored, (std::vector<std::string>{"a", "b"}));
}

TEST_F(LineDeliveryTest, SendsAtMostFiveThousandLinesAtOnce) {
  deliver(std::vector<std::string>(12'000, "line"));
  EXPECT_EQ(server_.requests, 3);
  EXPECT_EQ(server_.stored.size(), 12'000u);
}

TEST_F(LineDeliveryTest, BadLinesCostThemselvesOnly) {
  const auto delivery = deliver({"a", "bad 1", "b", "bad 2"});
  EXPECT_EQ(delivery.outcome, Outcome::kDone);
  EXPECT_EQ(delivery.rejected, 2u);
  EXPECT_EQ(delivery.reasons.size(), 1u);
  EXPECT_EQ(server_.stored, (std::vector<std::string>{"a", "b"}));
}

TEST_F(LineDeliveryTest, OnlyBadLinesAreDroppedAndCounted) {
  const auto delivery = deliver({"bad", "bad"});
  EXPECT_EQ(delivery.outcome, Outcome::kDone);
  EXPECT_EQ(delivery.rejected, 2u);
}

TEST_F(LineDeliveryTest, HalvesWhatIsTooLargeAndDropsALineThatIsTooLargeByItself) {
  server_.most_bytes = 50;
  const std::string large(80, 'x');
  const auto delivery = deliver({"a1", "a2", large, "a3", std::string(40, 'y')});
  EXPECT_EQ(delivery.outcome, Outcome::kDone);
  EXPECT_EQ(delivery.rejected, 1u);
  EXPECT_EQ(server_.stored, (std::vector<std::string>{"a1", "a2", "a3", std::string(40, 'y')}));
}

TEST_F(LineDeliveryTest, MakesTheDatabaseWhenItMay) {
  server_.exists = false;
  EXPECT_EQ(deliver({"a"}).outcome, Outcome::kDone);
  EXPECT_EQ(server_.stored.size(), 1u);
}

TEST_F(LineDeliveryTest, HoldsTheLinesWhenTheDatabaseMayNotBeMade) {
  server_.exists = false;
  EXPECT_EQ(deliver({"a"}, /*create=*/false).outcome, Outcome::kHeld);
  server_.may_create = false;
  const auto refused = deliver({"a"});
  EXPECT_EQ(refused.outcome, Outcome::kHeld);
  EXPECT_NE(refused.reasons.at(0).find("not authorized"), std::string::npos);
}

TEST_F(LineDeliveryTest, AnAbsentServerMeansLater) {
  server_.down = true;
  const auto delivery = deliver({"a"});
  EXPECT_EQ(delivery.outcome, Outcome::kLater);
  EXPECT_EQ(delivery.reasons.at(0), "connection refused");
}

TEST_F(LineDeliveryTest, CountsNothingBeforeTheWholeBatchIsThrough) {
  server_.fails_after = 4'999;
  std::vector<std::string> lines(6'000, "line");
  lines[0] = "bad";
  const auto delivery = deliver(lines);
  EXPECT_EQ(delivery.outcome, Outcome::kLater);
  EXPECT_EQ(delivery.rejected, 0u);
}

TEST(SplitLines, SkipsEmptyLinesAndTakesALastOneWithoutAnEnd) {
  EXPECT_EQ(split_lines("a\n\nb"), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_TRUE(split_lines("").empty());
}

}  // namespace
}  // namespace foreflow::store
