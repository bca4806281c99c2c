// SPDX-License-Identifier: Apache-2.0
#include "host/store/line_protocol.h"

#include <gtest/gtest.h>

#include "host/store/influx_answer.h"
#include "host/store/influx_query.h"

namespace foreflow::store {
namespace {

Point point(Tags tags, std::vector<std::pair<std::string, Value>> fields) {
  return Point{Measurement::kVmNet, Resolution::kRaw, std::move(tags), UnixNanos{1'700'000'000'000'000'001},
               std::move(fields)};
}

TEST(LineProtocol, WritesTagsInOrderIntegersWithATypeAndNanoseconds) {
  EXPECT_EQ(to_lines({point({"h", "d", "web"}, {{"tx_offered_bytes", std::int64_t{-5}}, {"share", 0.25}})}),
            "vm_net,dpu=d,host=h,vm=web tx_offered_bytes=-5i,share=0.25 1700000000000000001\n");
}

TEST(LineProtocol, LeavesEmptyTagsOut) {
  EXPECT_EQ(to_lines({point({"", "", "web"}, {{"a", std::int64_t{1}}})}), "vm_net,vm=web a=1i 1700000000000000001\n");
}

TEST(LineProtocol, EscapesWhatSeparates) {
  EXPECT_EQ(to_lines({point({"", "", "a b,c=d"}, {{"f g,h=i", std::int64_t{1}}})}),
            "vm_net,vm=a\\ b\\,c\\=d f\\ g\\,h\\=i=1i 1700000000000000001\n");
}

TEST(LineProtocol, NoNameCanEndALineOrEscapeItsSeparator) {
  EXPECT_EQ(to_lines({point({"", "", "a\nb\\"}, {{"q\"", std::int64_t{1}}})}),
            "vm_net,vm=a%0Ab%5C q%22=1i 1700000000000000001\n");
}

TEST(LineProtocol, EachResolutionIsAMeasurement) {
  EXPECT_EQ(line_measurement(Measurement::kVmNet, Resolution::kRaw), "vm_net");
  EXPECT_EQ(line_measurement(Measurement::kDataplane, Resolution::k1Hour), "dataplane_1h");
}

TEST(LineProtocolNames, ComeBackAsTheyWent) {
  for (const std::string name : {"plain", "100%", "%0A", "%", "%4", "\\", "a\nb\r\t\"", "\x7f", "Büro"})
    EXPECT_EQ(decode_name(encode_name(name)), name);
  EXPECT_EQ(decode_name("%zz%4"), "%zz%4");
}

TEST(InfluxQl, QuotesSoThatNoNameBecomesAStatement) {
  EXPECT_EQ(quote_literal("it's\\"), "'it\\'s\\\\'");
  EXPECT_EQ(quote_identifier("a\"; DROP DATABASE x"), "\"a\\\"; DROP DATABASE x\"");
}

TEST(InfluxQl, ReadsPointsOfAllSeriesInOrderOfTime) {
  const auto points = parse_points(
      R"({"results":[{"series":[
        {"name":"vm_net","tags":{"host":"h","dpu":"d","vm":"a%0Ab"},"columns":["time","x","y"],"values":[[5,3,null],[9,1,2]]},
        {"name":"vm_net","tags":{"host":"","dpu":"e","vm":"a%0Ab"},"columns":["time","x"],"values":[[7,4]]}]}]})",
      Measurement::kVmNet, Resolution::kRaw, {"x"});
  ASSERT_TRUE(points) << points.error().message;
  ASSERT_EQ(points->size(), 3u);
  EXPECT_EQ((*points)[0].fields, (decltype(Point::fields){{"x", std::int64_t{3}}}));
  EXPECT_EQ((*points)[1].tags, (Tags{"", "e", "a\nb"}));
  EXPECT_EQ((*points)[2].fields, (decltype(Point::fields){{"x", std::int64_t{1}}, {"y", 2.0}}));
}

TEST(InfluxQl, AMissingDatabaseHasNoPoints) {
  EXPECT_TRUE(parse_points(R"({"results":[{"error":"database not found: x"}]})", {}, {}, {})->empty());
  EXPECT_TRUE(parse_points(R"({"results":[{"statement_id":0}]})", {}, {}, {})->empty());
}

TEST(InfluxQl, ForeignAnswersAreErrors) {
  for (const auto* text : {"", "x", "[]", "{}", R"({"results":{}})", R"({"results":[{"error":"boom"}]})",
                           R"({"results":[{"series":[{"values":[[1]]}]}]})",
                           R"({"results":[{"series":[{"columns":["time","x"],"values":[[1]]}]}]})",
                           R"({"results":[{"series":[{"columns":["time","x"],"values":[["now",2]]}]}]})",
                           R"({"results":[{"series":[{"columns":["time","x"],"values":[[1,"text"]]}]}]})"})
    EXPECT_FALSE(parse_points(text, {}, {}, {})) << text;
}

TEST(InfluxQl, DeepNestingDoesNotExhaustTheStack) {
  EXPECT_FALSE(parse_points(std::string(1'000'000, '['), {}, {}, {}));
}

// One row per answer that InfluxDB 1.6 is known to give.
struct Known {
  long status;
  const char* body;
  Verdict verdict;
};

class InfluxAnswer : public ::testing::TestWithParam<Known> {};

TEST_P(InfluxAnswer, HasItsVerdict) {
  const auto answer = classify_answer(GetParam().status, GetParam().body);
  EXPECT_EQ(answer.verdict, GetParam().verdict) << GetParam().status << ' ' << GetParam().body;
  EXPECT_EQ(answer.reason.empty(), GetParam().verdict == Verdict::kStored);
}

INSTANTIATE_TEST_SUITE_P(
    Known, InfluxAnswer,
    ::testing::Values(
        Known{204, "", Verdict::kStored},
        Known{400, R"({"error":"partial write: field type conflict: input field \"x\" ... dropped=1"})",
              Verdict::kPartlyStored},
        Known{400, R"({"error":"partial write: unable to parse 'a b': missing field value dropped=0"})",
              Verdict::kPartlyStored},
        Known{400, R"({"error":"partial write: points beyond retention policy dropped=1"})", Verdict::kPartlyStored},
        Known{400, R"({"error":"unable to parse 'vm_net x=9u': invalid number"})", Verdict::kRefused},
        Known{400, R"({"error":"unable to parse 'x': max key length exceeded: 70000 > 65535"})", Verdict::kRefused},
        Known{400, R"({"error":"unexpected EOF"})", Verdict::kRefused},
        Known{400, R"({"error":"database is required"})", Verdict::kHold},
        Known{400, "Client sent an HTTP request to an HTTPS server.\n", Verdict::kHold},
        Known{404, R"({"error":"database not found: \"x\""})", Verdict::kCreateDatabase},
        Known{404, "404 page not found\n", Verdict::kHold},
        Known{500, R"({"error":"retention policy not found: x"})", Verdict::kHold},
        Known{500, R"({"error":"timeout"})", Verdict::kRetry}, Known{503, "", Verdict::kRetry},
        Known{429, "", Verdict::kRetry},
        Known{401, R"({"error":"unable to parse authentication credentials"})", Verdict::kHold},
        Known{401, R"({"error":"authorization failed"})", Verdict::kHold},
        Known{403, R"({"error":"\"x\" user is not authorized to write to database \"d\""})", Verdict::kHold},
        Known{413, R"({"error":"Request Entity Too Large"})", Verdict::kSplit}, Known{302, "", Verdict::kHold}));

TEST(InfluxAnswer, CountsWhatTheServerDroppedAndAtLeastOne) {
  EXPECT_EQ(classify_answer(400, "partial write: field type conflict dropped=17").rejected, 17u);
  EXPECT_EQ(classify_answer(400, "partial write: unable to parse dropped=0").rejected, 1u);
  EXPECT_EQ(classify_answer(400, "partial write: dropped=99999999999999999999999").rejected, 1u);
}

TEST(InfluxAnswer, AReasonIsShortAndOneLine) {
  const auto reason = classify_answer(400, "unable to parse '" + std::string(70'000, 'x') + "\nlevel=error").reason;
  EXPECT_LE(reason.size(), kLongestReason);
  EXPECT_EQ(short_reason("a\nb\tc\x01\n"), "a b c");
}

}  // namespace
}  // namespace foreflow::store
