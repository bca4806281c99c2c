// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <map>
#include <new>
#include <random>
#include <set>

#include <gtest/gtest.h>
#include <sys/mman.h>

#include "dataplane/classify/classifier.h"
#include "tests/support/signatures.h"
#include "tests/support/temporary_directory.h"
#include "tests/unit/dataplane/payload_samples.h"

namespace foreflow::classify {
namespace {

using namespace foreflow::testing;  // NOLINT: builders of bytes

const std::filesystem::path kSignatures = test::kSignatures;

struct Ports {
  std::uint16_t source = 40'001;
  std::uint16_t destination = 40'003;
};

// The product's own signatures, compiled once for all tests.
class ClassifyProduct : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto classifier = Classifier::load(kSignatures, test::kSignatureCache);
    ASSERT_TRUE(classifier) << classifier.error().message;
    classifier_ = std::move(*classifier).release();
    auto inspector = Inspector::create(*classifier_);
    ASSERT_TRUE(inspector) << inspector.error().message;
    inspector_ = new Inspector(std::move(*inspector));
  }
  static void TearDownTestSuite() {
    delete inspector_;
    delete classifier_;
  }

  static Verdict inspect(const Frame& payload, std::uint8_t ip_protocol, Ports ports = {}, ProtocolId suspected = 0) {
    return inspector_->inspect(*classifier_, {payload, ip_protocol, ports.source, ports.destination, suspected});
  }
  static std::string_view protocol(const Frame& payload, std::uint8_t ip_protocol, Ports ports = {}) {
    return classifier_->protocol_name(inspect(payload, ip_protocol, ports).protocol);
  }

  static inline const Classifier* classifier_ = nullptr;
  static inline Inspector* inspector_ = nullptr;
};

TEST_F(ClassifyProduct, RecognisesEverySampleOnPortsThatSayNothing) {
  for (const auto& sample : payload_samples()) {
    const auto verdict = inspect(sample.payload, sample.ip_protocol);
    EXPECT_EQ(classifier_->protocol_name(verdict.protocol), sample.protocol) << sample.what;
    EXPECT_EQ(to_string(verdict.category), to_string(sample.category)) << sample.protocol << ' ' << sample.what;
    EXPECT_GE(verdict.confidence, 50) << sample.protocol << ' ' << sample.what;
    EXPECT_EQ(verdict.source, Source::kPayload);
  }
}

TEST_F(ClassifyProduct, APayloadMayEndWhereMemoryEnds) {
  constexpr std::size_t kPage = 4'096, kPages = 16;
  auto* memory = static_cast<std::uint8_t*>(
      mmap(nullptr, (kPages + 1) * kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  ASSERT_NE(memory, MAP_FAILED);
  auto* const end = memory + kPages * kPage;
  ASSERT_EQ(mprotect(end, kPage, PROT_NONE), 0);
  for (const auto& sample : payload_samples())
    for (std::size_t size = 1; size <= sample.payload.size(); size += size < 160 ? 1 : size / 8) {
      const std::span payload(end - size, size);
      std::copy_n(sample.payload.begin(), size, payload.begin());
      const auto there = inspector_->inspect(*classifier_, {payload, sample.ip_protocol, 40'001, 40'003, 0});
      const auto here = inspect({payload.begin(), payload.end()}, sample.ip_protocol);
      EXPECT_EQ(there.protocol, here.protocol) << sample.protocol << ' ' << sample.what << ", " << size << " bytes";
    }
  munmap(memory, (kPages + 1) * kPage);
}

TEST_F(ClassifyProduct, NoPortMakesASampleAnotherProtocol) {
  constexpr std::uint16_t kPorts[] = {21,  22,   25,   53,   80,   110,  123,  143,  443,
                                      554, 1883, 3306, 5060, 5353, 5432, 6379, 11211};
  for (const auto& sample : payload_samples())
    for (const auto port : kPorts) {
      EXPECT_EQ(protocol(sample.payload, sample.ip_protocol, {port, 40'003}), sample.protocol) << sample.what << port;
    }
}

TEST_F(ClassifyProduct, CoversTheProtocolsOfItsPurpose) {
  std::set<std::string_view> sampled;
  for (const auto& sample : payload_samples()) sampled.insert(sample.protocol);
  for (const auto* name : {"http",      "http2", "tls",  "ssh",  "dns",        "mysql", "postgres", "redis", "mongodb",
                           "memcached", "smtp",  "imap", "pop3", "ftp",        "rtsp",  "rtp",      "sip",   "mqtt",
                           "amqp",      "smb",   "rdp",  "ntp",  "bittorrent", "quic",  "stun"})
    EXPECT_TRUE(sampled.contains(name)) << name;
}

TEST_F(ClassifyProduct, TheNameInAClientHelloGivesServiceAndCategory) {
  const auto video = inspect(tls_client_hello("ipv4-c001.1.oca.NFLXvideo.net"), net::kTcp);
  EXPECT_EQ(classifier_->protocol_name(video.protocol), "tls");
  EXPECT_EQ(classifier_->app_name(video.app), "netflix");
  EXPECT_EQ(video.category, Category::kVideo);
  EXPECT_EQ(video.source, Source::kName);
  const auto mail = inspect(tls_client_hello("mail.google.com"), net::kTcp);
  EXPECT_EQ(classifier_->app_name(mail.app), "gmail") << "the longest suffix wins over google.com";
  EXPECT_EQ(inspect(tls_client_hello("notnetflix.com"), net::kTcp).app, 0) << "suffixes are whole labels";
}

TEST_F(ClassifyProduct, AServiceDoesNotChangeAPurposeThatTheProtocolFixes) {
  const auto hello = tls_client_hello("www.netflix.com");
  EXPECT_EQ(inspect(hello, net::kTcp, {40'000, 443}).category, Category::kVideo);
  const auto mail = inspect(hello, net::kTcp, {40'000, 993});
  EXPECT_EQ(classifier_->protocol_name(mail.protocol), "imaps");
  EXPECT_EQ(mail.category, Category::kMail);
  EXPECT_EQ(classifier_->app_name(mail.app), "netflix");
}

TEST_F(ClassifyProduct, TheHostOfAnHttpRequestGivesService) {
  const auto verdict = inspect(text("GET / HTTP/1.1\r\nUser-Agent: x\r\nhost: open.spotify.com:80\r\n\r\n"), net::kTcp);
  EXPECT_EQ(classifier_->protocol_name(verdict.protocol), "http");
  EXPECT_EQ(classifier_->app_name(verdict.app), "spotify");
  EXPECT_EQ(verdict.category, Category::kVideo);
}

TEST_F(ClassifyProduct, AnEquallyLikelyPairWaitsForMoreUnlessThePortDecides) {
  const auto greeting = text("220 welcome\r\n");
  EXPECT_EQ(protocol(greeting, net::kTcp), "unknown");
  EXPECT_EQ(protocol(greeting, net::kTcp, {25, 40'000}), "smtp");
  EXPECT_EQ(protocol(greeting, net::kTcp, {40'000, 21}), "ftp");
  EXPECT_EQ(protocol(text("+OK\r\n"), net::kTcp), "unknown");
  EXPECT_EQ(protocol(text("+OK\r\n"), net::kTcp, {6379, 40'000}), "redis");
  EXPECT_EQ(protocol(text("+OK\r\n"), net::kTcp, {110, 40'000}), "pop3");
}

TEST_F(ClassifyProduct, MulticastDnsIsToldFromDnsByItsPort) {
  const auto query = zeros(2) + Frame{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 4} + text("_ipp") + Frame{5} + text("local") +
                     Frame{0} + be16(12) + be16(1);
  EXPECT_EQ(protocol(query, net::kUdp, {5353, 5353}), "mdns");
  EXPECT_EQ(protocol(query, net::kUdp, {40'000, 53}), "dns");
}

// A question for `name`, in labels with their sizes, of `type_class`.
Frame question(std::uint16_t id, std::uint16_t flags, const Frame& name, std::uint16_t dns_class) {
  return be16(id) + be16(flags) + be16(1) + zeros(6) + name + Frame{0} + be16(1) + be16(dns_class);
}

TEST_F(ClassifyProduct, MulticastDnsIsToldFromDnsByWhatOnlyItSays) {
  const auto local = Frame{3} + text("web") + Frame{5} + text("local");
  const auto elsewhere = Frame{3} + text("web") + Frame{7} + text("example");
  EXPECT_EQ(protocol(question(0, 0, local, 1), net::kUdp), "mdns");
  EXPECT_EQ(protocol(question(0, 0, elsewhere, 0x8001), net::kUdp), "mdns") << "an answer to one alone is wanted";
  EXPECT_EQ(protocol(question(0, 0, elsewhere, 1), net::kUdp), "dns");
  EXPECT_EQ(protocol(question(7, 0x0100, local, 1), net::kUdp), "dns") << "recursion is wanted: a resolver is asked";
  const auto flush = zeros(2) + be16(0x8400) + zeros(2) + be16(1) + zeros(4) + elsewhere + Frame{0} + be16(1) +
                     be16(0x8001) + be32(120) + be16(4) + be32(0x0a000001);
  EXPECT_EQ(protocol(flush, net::kUdp), "mdns");
}

TEST_F(ClassifyProduct, LlmnrIsToldFromDnsByItsFlagsAndItsSingleLabel) {
  const auto host = Frame{6} + text("laptop");
  EXPECT_EQ(protocol(question(7, 0, host, 1), net::kUdp), "llmnr");
  EXPECT_EQ(protocol(question(7, 0x0100, host, 1), net::kUdp), "dns");
  EXPECT_EQ(protocol(question(7, 0, host + Frame{3} + text("com"), 1), net::kUdp), "dns");
}

TEST_F(ClassifyProduct, ADnsAnswerThatBeginsLikeOpenVpnIsDns) {
  const auto asked = Frame{3} + text("www") + Frame{7} + text("example");
  const auto query = question(0x2f37, 0x0100, asked, 1);  // opcode 5 and a session id, by chance
  EXPECT_EQ(protocol(query, net::kUdp), "dns");
}

TEST_F(ClassifyProduct, ASocksReplyIsNoFrameOfCassandraThatGoesOn) {
  EXPECT_EQ(protocol(Frame{5, 0, 0, 1, 10, 0, 0, 2, 0, 80}, net::kTcp), "socks");
}

TEST_F(ClassifyProduct, StunBehindTheMarkOfMicrosoftsRelaysIsStun) {
  const auto message = be16(0x0101) + be16(8) + be32(0x2112a442) + Frame(12, 7) + be16(0x8022) + be16(4) + text("MSFT");
  const auto size = static_cast<std::uint16_t>(message.size() + 8);
  EXPECT_EQ(protocol(Frame{0xff, 0x10} + be16(size) + Frame(8, 9) + message, net::kUdp), "stun");
  EXPECT_EQ(protocol(Frame{0xff, 0x10} + be16(size + 4) + Frame(8, 9) + message, net::kUdp), "unknown");
}

TEST_F(ClassifyProduct, RtpWithADynamicTypeMustBeSeenTwice) {
  const auto packet = Frame{0x80, 96} + be16(1) + be32(90'000) + be32(0x11223344) + Frame(200, 0x42);
  const auto first = inspect(packet, net::kUdp);
  EXPECT_EQ(first.protocol, 0);
  EXPECT_EQ(classifier_->protocol_name(first.suspected), "rtp");
  const auto second = inspect(packet, net::kUdp, {}, first.suspected);
  EXPECT_EQ(classifier_->protocol_name(second.protocol), "rtp");
  EXPECT_EQ(second.suspected, 0);
}

TEST_F(ClassifyProduct, TransportMatters) {
  EXPECT_EQ(protocol(text("SSH-2.0-OpenSSH_9.2\r\n"), net::kUdp), "unknown");
  EXPECT_EQ(protocol(text("SSH-2.0-OpenSSH_9.2\r\n"), 132), "sctp") << "an IP protocol number may say it all";
  EXPECT_EQ(protocol({}, 47), "gre");
  EXPECT_EQ(protocol(text("SSH-2.0-OpenSSH_9.2\r\n"), 253), "unknown");
}

TEST_F(ClassifyProduct, LookalikesThatBreakTheirArithmeticAreUnknown) {
  const auto with = [](Frame payload, std::size_t at, std::uint8_t value) {
    payload.at(at) = value;
    return payload;
  };
  std::map<std::string_view, Frame> sample;
  for (const auto& known : payload_samples()) sample.emplace(known.what, known.payload);
  EXPECT_EQ(protocol(with(sample.at("startup"), 3, 200), net::kTcp), "unknown") << "PostgreSQL: size";
  EXPECT_EQ(protocol(with(sample.at("client hello"), 3, 0xff), net::kTcp), "unknown") << "TLS: record size";
  EXPECT_EQ(protocol(with(sample.at("binding request"), 3, 3), net::kUdp), "unknown") << "STUN: size";
  EXPECT_EQ(protocol(with(sample.at("receiver report"), 3, 6), net::kUdp), "unknown") << "RTCP: size";
  EXPECT_EQ(protocol(with(sample.at("connection start"), 6, 3), net::kTcp), "unknown") << "AMQP: frame end";
  EXPECT_EQ(protocol(with(sample.at("message"), 16, 0xff), net::kTcp), "unknown") << "MongoDB: flags";
  EXPECT_EQ(protocol(with(sample.at("PCMU"), 8, 0) + Frame{1}, net::kUdp), "unknown") << "RTP: size of PCMU";
  EXPECT_EQ(protocol(text("*1\r\n$3\r\nGETxx"), net::kTcp), "unknown") << "RESP: end of a bulk string";
  EXPECT_EQ(protocol(text("GET /x FTP/9.9\r\n\r\n"), net::kTcp), "unknown") << "HTTP: version";
}

TEST_F(ClassifyProduct, RandomBytesAreUnknown) {
  std::mt19937 random(11);
  constexpr int kRuns = 100'000;
  std::map<std::string_view, int> taken_tcp, taken_udp;
  for (int i = 0; i < kRuns; ++i) {
    Frame payload(1 + random() % 200);
    for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
    ++taken_tcp[protocol(payload, net::kTcp)];
    ++taken_udp[protocol(payload, net::kUdp)];
  }
  EXPECT_GT(taken_tcp["unknown"], kRuns - kRuns / 10'000) << ::testing::PrintToString(taken_tcp);
  EXPECT_GT(taken_udp["unknown"], kRuns - kRuns / 1'000) << ::testing::PrintToString(taken_udp);
}

TEST_F(ClassifyProduct, TextThatIsNoProtocolIsUnknown) {
  for (const auto* line :
       {"hello world\r\n", "GETTING started\r\n", "250000 items\r\n", "SSHD is fine\n", "* item one\n",
        "{\"key\": 1}\n", "2024-01-01 12:00:00 log line\n", "$HOME/bin\n", "+1 for this\n", ":-)\r\n"})
    EXPECT_EQ(protocol(text(line), net::kTcp), "unknown") << line;
}

TEST_F(ClassifyProduct, SamplesCutOffAnywhereNeverBecomeAnotherProtocolForSure) {
  for (const auto& sample : payload_samples())
    for (std::size_t size = 1; size < sample.payload.size(); ++size) {
      const Frame cut(sample.payload.begin(), sample.payload.begin() + static_cast<std::ptrdiff_t>(size));
      const auto verdict = inspect(cut, sample.ip_protocol);
      const auto name = classifier_->protocol_name(verdict.protocol);
      EXPECT_TRUE(name == sample.protocol || name == "unknown" || verdict.confidence < 75)
          << sample.protocol << ' ' << sample.what << " cut to " << size << " became " << name;
    }
}

// Signatures of one file of the product: quickly compiled.
class ClassifyReload : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::copy(kSignatures / "remote_access.toml", directory_.path());
    for (auto* classifier : {&first_, &second_}) {
      auto loaded = Classifier::load(directory_.path());
      ASSERT_TRUE(loaded) << loaded.error().message;
      *classifier = std::move(*loaded);
    }
  }
  static ProtocolId inspect(const Classifier& own, const Classifier& given) {
    auto inspector = Inspector::create(own);
    const auto ssh = text("SSH-2.0-x\r\n");
    return inspector ? inspector->inspect(given, {.bytes = ssh, .ip_protocol = net::kTcp}).protocol : ProtocolId{0};
  }
  test::TemporaryDirectory directory_;
  std::unique_ptr<const Classifier> first_, second_;
};

TEST_F(ClassifyReload, ProtocolIdsAndNamesSurvive) {
  EXPECT_NE(inspect(*first_, *first_), 0);
  EXPECT_EQ(inspect(*first_, *first_), inspect(*second_, *second_));
  EXPECT_EQ(first_->protocol_count(), second_->protocol_count());
  EXPECT_EQ(first_->protocol_name(60'000), "unknown");
  EXPECT_EQ(first_->app_name(0), "");
}

TEST_F(ClassifyReload, AnInspectorKnowsItsOwnClassifierOnly) { EXPECT_EQ(inspect(*first_, *second_), 0); }

}  // namespace
}  // namespace foreflow::classify
