// SPDX-License-Identifier: Apache-2.0
#include "common/units.h"

#include <gtest/gtest.h>

namespace foreflow {
namespace {

TEST(ParseRate, ReadsBitsPerSecondByDefaultAndBytesWhenSaid) {
  EXPECT_EQ(parse_rate("50M")->value, 6'250'000u);
  EXPECT_EQ(parse_rate("50Mbit")->value, 6'250'000u);
  EXPECT_EQ(parse_rate("1.5G")->value, 187'500'000u);
  EXPECT_EQ(parse_rate("1.5 Gbit/s")->value, 187'500'000u);
  EXPECT_EQ(parse_rate("6.25MB")->value, 6'250'000u);
  EXPECT_EQ(parse_rate("unlimited"), kUnlimited);
}

TEST(ParseRate, RefusesWhatIsNoRateAndQuotesIt) {
  for (const auto* text : {"", "-5M", "M", "5X", "1e9", "nan", "5 Mbit 3", "99999999999T"}) {
    const auto rate = parse_rate(text);
    ASSERT_FALSE(rate) << text;
    EXPECT_NE(rate.error().message.find("'" + std::string(text) + "'"), std::string::npos);
  }
}

TEST(ParseDuration, KnowsItsUnits) {
  EXPECT_EQ(*parse_duration("500ms"), 500'000'000u);
  EXPECT_EQ(*parse_duration("5m"), 300 * kNanosPerSecond);
  EXPECT_FALSE(parse_duration("5 fortnights"));
}

TEST(ParseBytes, KnowsSiAndBinaryPrefixes) {
  EXPECT_EQ(parse_bytes("64k")->value, 64'000u);
  EXPECT_EQ(parse_bytes("2MiB")->value, 2u << 20);
  EXPECT_EQ(parse_bytes("4096")->value, 4096u);
}

TEST(FormatRate, GivesThreeSignificantDigits) {
  EXPECT_EQ(format_rate(BytesPerSecond{6'250'000}), "50.0 Mbit/s");
  EXPECT_EQ(format_rate(BytesPerSecond{11'675'000}), "93.4 Mbit/s");
  EXPECT_EQ(format_rate(BytesPerSecond{125}), "1.00 kbit/s");
  EXPECT_EQ(format_rate(kUnlimited), "unlimited");
}

TEST(FormatTime, IsRfc3339InUtc) {
  EXPECT_EQ(format_time(UnixNanos{1'700'000'000'123'000'000}), "2023-11-14T22:13:20.123Z");
}

TEST(ParseTime, IsTheReverseOfFormatTime) {
  EXPECT_EQ(parse_time("2023-11-14T22:13:20Z")->value, 1'700'000'000'000'000'000);
  EXPECT_EQ(format_time(*parse_time("2026-12-01")), "2026-12-01T00:00:00.000Z");
}

TEST(ParseTime, RefusesWhatIsNoMoment) {
  for (const auto* text : {"", "2026-02-30", "2026-12-01T25:00:00Z", "2026-12-01T08:00:00+01:00", "2026-12-1",
                           "1969-01-01", "2026-12-01T08:00:00Zx"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(ExactText, ParsesToTheSameValue) {
  for (const std::uint64_t rate : {0ull, 1ull, 125ull, 125'000ull, 6'250'000ull, 375'000'000ull, 123'456'789ull})
    EXPECT_EQ(parse_rate(exact_rate(BytesPerSecond{rate}))->value, rate) << exact_rate(BytesPerSecond{rate});
  EXPECT_EQ(exact_rate(kUnlimited), "unlimited");
  for (const std::uint64_t nanos : {0ull, 1ull, 800'000'000ull, 7'200'000'000'000ull, 90'000'000'000ull})
    EXPECT_EQ(*parse_duration(exact_duration(nanos)), nanos) << exact_duration(nanos);
}

}  // namespace
}  // namespace foreflow
