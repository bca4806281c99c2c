// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/classify/classifier.h"
#include "dataplane/classify/names.h"
#include "dataplane/classify/regex.h"
#include "dataplane/classify/signature.h"

namespace foreflow::classify {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::string_view kGood = R"(category = "database"
[[protocol]]
name = "redis"
transport = ["tcp"]
ports = [6379]
[[protocol.pattern]]
regex = '\*[0-9]+\r\n'
validate = "resp"
confidence = 90
)";

// kGood with one piece replaced.
std::string changed(std::string_view from, std::string_view to) {
  std::string text(kGood);
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& text) {
  const auto signatures = parse_signatures(text, "database.toml");
  return signatures ? "accepted" : signatures.error().message;
}

TEST(SignatureFile, StatesProtocolsAndPatterns) {
  const auto signatures = parse_signatures(kGood, "database.toml");
  ASSERT_TRUE(signatures) << signatures.error().message;
  ASSERT_EQ(signatures->size(), 1u);
  const auto& redis = signatures->front();
  EXPECT_EQ(redis.protocol, "redis");
  EXPECT_EQ(redis.category, Category::kDatabase);
  EXPECT_EQ(redis.ports, std::vector<std::uint16_t>{6379});
  ASSERT_EQ(redis.patterns.size(), 1u);
  EXPECT_TRUE(redis.patterns[0].transports.tcp);
  EXPECT_FALSE(redis.patterns[0].transports.udp);
  EXPECT_EQ(redis.patterns[0].confidence, 90);
  EXPECT_NE(redis.patterns[0].validator, nullptr);
}

TEST(SignatureFile, ErrorsNameFileLineAndWhatWouldBeRight) {
  EXPECT_THAT(error_of(changed("ports", "prots")), AllOf(HasSubstr("database.toml:5"), HasSubstr("'ports'")));
  EXPECT_THAT(error_of(changed("database\"", "databas\"")),
              AllOf(HasSubstr("database.toml:1"), HasSubstr("no category")));
  EXPECT_THAT(error_of(changed("\"tcp\"", "\"sctp\"")), AllOf(HasSubstr(":4"), HasSubstr("'tcp' or 'udp'")));
  EXPECT_THAT(error_of(changed("6379", "70000")), AllOf(HasSubstr(":5"), HasSubstr("1 to 65535")));
  EXPECT_THAT(error_of(changed("\"resp\"", "\"respp\"")), AllOf(HasSubstr(":8"), HasSubstr("did you mean 'resp'")));
  EXPECT_THAT(error_of(changed("confidence", "from = \"clint\"\nconfidence")),
              AllOf(HasSubstr(":9"), HasSubstr("'client', 'server'")));
  EXPECT_THAT(error_of(changed("= 90", "= 101")), AllOf(HasSubstr(":9"), HasSubstr("1 to 100")));
  EXPECT_THAT(error_of(changed("\"redis\"", "\"Redis!\"")), AllOf(HasSubstr(":3"), HasSubstr("a-z")));
  EXPECT_THAT(error_of(changed("confidence = 90", "")), HasSubstr("confidence"));
}

TEST(SignatureFile, PatternsThatCannotRunWellAreRefusedWithTheReason) {
  const auto with = [](std::string_view regex) { return error_of(changed(R"(\*[0-9]+\r\n)", regex)); };
  EXPECT_THAT(with("ab(c"), AllOf(HasSubstr(":7"), HasSubstr("'ab(c'")));
  EXPECT_THAT(with("(?<=a)b"), HasSubstr("Hyperscan refuses"));
  EXPECT_THAT(with("a[^b]{1,256}c"), AllOf(HasSubstr("{1,256}"), HasSubstr("slower")));
  EXPECT_THAT(with("a{99999999999}"), HasSubstr("goes beyond"));
  EXPECT_THAT(with("(a|b{9}c){2,4}d"), AllOf(HasSubstr("{2,4}"), HasSubstr("inside of it")));
  EXPECT_THAT(with("((a{6}){6})b"), HasSubstr("{6}"));
  EXPECT_EQ(with("(a{6})(b{6}){5}c{32}"), "accepted");
  EXPECT_THAT(with("xa{32}{32}"), AllOf(HasSubstr("{32}"), HasSubstr("inside of it")));
  EXPECT_THAT(with("xa{32}?{2}"), HasSubstr("inside of it"));
  EXPECT_EQ(with("a{32}b{32}c{32}d{32}e{32}f{32}g{32}h{32}"), "accepted");
  EXPECT_THAT(with("a{32}b{32}c{32}d{32}e{32}f{32}g{32}(h{30}|i{3})"),
              AllOf(HasSubstr("{3}"), HasSubstr("256 with those beside it")));
  EXPECT_THAT(with("^abc"), HasSubstr("'offset'"));
  EXPECT_THAT(with("a|^abc"), HasSubstr("'offset'"));
  EXPECT_THAT(with("a*"), HasSubstr("at least one byte"));
  EXPECT_THAT(with(""), HasSubstr("is empty"));
  EXPECT_EQ(with(R"(\{1,256}[{1,99}^]\^)"), "accepted") << "escaped and in classes they are plain bytes";
}

TEST(SignatureFile, APatternRefusedAmongOthersIsNamedWithItsLine) {
  const Pattern good{.regex = "abc", .where = "a.toml:7"}, bad{.regex = "ab(c", .where = "a.toml:12"};
  const NumberedPattern both[] = {{&good, 0}, {&bad, 1}};
  const auto compiled = compile(both);
  ASSERT_FALSE(compiled);
  EXPECT_THAT(compiled.error().message, AllOf(HasSubstr("a.toml:12: "), HasSubstr("'ab(c'")));
}

TEST(SignatureFile, AnIpProtocolNumberNeedsNoPattern) {
  const auto with = [](std::string_view numbers) {
    return error_of("category = \"vpn_tunnel\"\n[[protocol]]\nname = \"gre\"\nip_protocols = " + std::string(numbers));
  };
  EXPECT_EQ(with("[47]"), "accepted");
  EXPECT_THAT(with("[256]"), AllOf(HasSubstr(":4"), HasSubstr("0 to 255")));
  EXPECT_THAT(with("[6]"), HasSubstr("carries many protocols"));
}

TEST(SignatureFile, OffsetAndDepthExcludeEachOther) {
  EXPECT_THAT(error_of(changed("confidence", "offset = 4\ndepth = 8\nconfidence")), HasSubstr("not both"));
}

TEST(SignatureFile, EveryMistakeIsReportedAtOnce) {
  const auto reasons = error_of(changed("= 90", "= 0\nfoo = 1"));
  EXPECT_THAT(reasons, AllOf(HasSubstr("confidence"), HasSubstr("foo")));
}

// A directory of signature files that is gone when the test ends.
class ClassifierLoad : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = ::testing::TempDir() + "signatures-XXXXXX";
    ASSERT_NE(mkdtemp(path.data()), nullptr);
    directory_ = path;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  void write(std::string_view name, std::string_view text) const { std::ofstream(directory_ / name) << text; }
  std::string error() const {
    const auto classifier = Classifier::load(directory_);
    return classifier ? "accepted" : classifier.error().message;
  }
  std::filesystem::path directory_;
};

TEST_F(ClassifierLoad, AnEmptyOrMissingDirectoryIsAnError) {
  EXPECT_THAT(error(), HasSubstr("expected *.toml"));
  EXPECT_THAT(Classifier::load(directory_ / "absent").error().message, HasSubstr("No such file"));
}

TEST_F(ClassifierLoad, ThePatternThatIsOneTooManyIsNamedWithItsLine) {
  std::string text = "category = \"database\"\n[[protocol]]\nname = \"redis\"\ntransport = [\"tcp\"]\n";
  for (std::size_t i = 0; i <= kMostPatterns; ++i)
    text += fmt::format("[[protocol.pattern]]\nregex = 'word{}'\nconfidence = 90\n", i);
  write("database.toml", text);
  EXPECT_THAT(error(), AllOf(HasSubstr("database.toml:12294: "), HasSubstr("'word4096'"), HasSubstr("the 4096 that")));
}

TEST(Names, GiveNoMoreIdsThanThereAre) {
  Names names("unknown", 3);
  EXPECT_EQ(names.id_of("a"), 1);
  EXPECT_EQ(names.id_of("b"), 2);
  EXPECT_EQ(names.id_of("c"), std::nullopt);
  EXPECT_EQ(names.id_of("a"), 1) << "known names keep theirs";
  EXPECT_EQ(names.name_of(3), "unknown");
}

TEST_F(ClassifierLoad, AnotherFileMayAddPatternsToAProtocolButNotMoveIt) {
  write("a.toml", kGood);
  write("b.toml", kGood);
  EXPECT_EQ(error(), "accepted");
  write("b.toml", changed("database\"", "web\""));
  EXPECT_THAT(error(),
              AllOf(HasSubstr("b.toml:3: protocol 'redis' is web here and database in"), HasSubstr("a.toml:3;")));
}

TEST_F(ClassifierLoad, ABrokenFileIsNamedWithItsLine) {
  write("a.toml", kGood);
  write("b.toml", "category = \"web\"\n[[protocol\n");
  EXPECT_THAT(error(), HasSubstr("b.toml:2"));
}

TEST_F(ClassifierLoad, APatternFromTheServerIsNotTakenFromTheClient) {
  write("a.toml", changed("confidence", "from = \"server\"\nconfidence"));
  const auto classifier = Classifier::load(directory_);
  ASSERT_TRUE(classifier) << classifier.error().message;
  auto inspector = Inspector::create(**classifier);
  constexpr std::uint8_t kReply[] = {'*', '0', '\r', '\n'};
  const auto is_seen = [&](Sender sender) {
    return inspector->inspect(**classifier, {.bytes = kReply, .ip_protocol = net::kTcp, .sender = sender}).protocol !=
           0;
  };
  EXPECT_TRUE(is_seen(Sender::kServer));
  EXPECT_TRUE(is_seen(Sender::kUnknown));
  EXPECT_FALSE(is_seen(Sender::kClient));
}

TEST_F(ClassifierLoad, OffsetAndDepthPlaceAPattern) {
  const auto pattern = [](std::string_view protocol, std::string_view place) {
    return "[[protocol]]\nname = \"" + std::string(protocol) +
           "\"\ntransport = [\"tcp\"]\n[[protocol.pattern]]\nregex = '" + std::string(protocol) +
           "'\nconfidence = 90\n" + std::string(place) + "\n";
  };
  write("a.toml", "category = \"web\"\n" + pattern("start", "") + pattern("fourth", "offset = 4") +
                      pattern("near", "depth = 10"));
  const auto classifier = Classifier::load(directory_);
  ASSERT_TRUE(classifier) << classifier.error().message;
  auto inspector = Inspector::create(**classifier);
  const auto seen = [&](std::string_view payload) {
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(payload.data()), payload.size());
    return classifier.value()->protocol_name(inspector->inspect(**classifier, {bytes, net::kTcp}).protocol);
  };
  EXPECT_EQ(seen("start"), "start");
  EXPECT_EQ(seen(" start"), "unknown");
  EXPECT_EQ(seen("1234fourth"), "fourth");
  EXPECT_EQ(seen("123fourth"), "unknown");
  EXPECT_EQ(seen("near"), "near");
  EXPECT_EQ(seen("123456near"), "near");
  EXPECT_EQ(seen("1234567near"), "unknown");
}

}  // namespace
}  // namespace foreflow::classify
