// SPDX-License-Identifier: Apache-2.0
// Flows joined in the middle or seen from one side, and what the product's signatures cover.
#include <memory>
#include <optional>
#include <set>

#include <gtest/gtest.h>

#include "dataplane/classify/classifier.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/frames.h"

namespace foreflow::classify {
namespace {

using namespace foreflow::testing;          // NOLINT: builders of bytes
using namespace std::string_view_literals;  // NOLINT

class JoinedFlows : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto classifier = Classifier::load(test::kSignatures, test::kSignatureCache);
    ASSERT_TRUE(classifier) << classifier.error().message;
    classifier_ = std::move(*classifier);
  }
  static void TearDownTestSuite() { classifier_.reset(); }
  void SetUp() override {
    auto inspector = Inspector::create(*classifier_);
    ASSERT_TRUE(inspector) << inspector.error().message;
    inspector_.emplace(std::move(*inspector));
  }

  std::string_view tcp(const Frame& payload) { return protocol(payload, net::kTcp); }
  std::string_view udp(const Frame& payload) { return protocol(payload, net::kUdp); }

  Verdict verdict(const Frame& payload, std::uint8_t ip_protocol) {
    return inspector_->inspect(*classifier_, {.bytes = payload, .ip_protocol = ip_protocol});
  }

  static inline std::unique_ptr<const Classifier> classifier_;

 private:
  std::string_view protocol(const Frame& payload, std::uint8_t ip_protocol) {
    return classifier_->protocol_name(verdict(payload, ip_protocol).protocol);
  }
  std::optional<Inspector> inspector_;
};

Frame http2_frame(std::uint8_t type, std::uint8_t flags, std::uint32_t stream, const Frame& body) {
  return Frame{0} + be16(body.size()) + Frame{type, flags} + be32(stream) + body;
}
Frame ssh_packet(const Frame& message) {
  const std::size_t padding = 4 + (24 - (message.size() + 9) % 8) % 8;
  return be32(1 + message.size() + padding) + Frame{static_cast<std::uint8_t>(padding)} + message + zeros(padding);
}

TEST_F(JoinedFlows, AnswersOfHttpSayWhatTheyAreFor) {
  const auto category = [this](std::string_view fields) {
    return to_string(verdict(text("HTTP/1.1 200 OK\r\n") + text(fields) + text("\r\n\r\n"), net::kTcp).category);
  };
  EXPECT_EQ(category("Content-Type: text/html"), "web");
  EXPECT_EQ(category("Content-Type: Audio/MPEG"), "video");
  EXPECT_EQ(category("icy-name: a station"), "video");
  EXPECT_EQ(category("Content-Type: audio/mpeg\r\nX-Content-URN: urn:sha1:ABC"), "p2p") << "says more than the type";
  EXPECT_EQ(category("X-Content-URN: urn:sha1:ABC\r\nContent-Type: audio/mpeg"), "p2p");
  EXPECT_EQ(category("X-Content-URN: none"), "web");
  EXPECT_EQ(category("Server: Shareaza 2.7"), "p2p");
  EXPECT_EQ(category("Location: /announce?info_hash=%aa"), "p2p");
  EXPECT_EQ(category("Content-Type: application/json-rpc"), "messaging_queue");
  EXPECT_EQ(category("Content-Disposition: attachment; filename=micromsgresp.dat"), "chat");
}

TEST_F(JoinedFlows, TheCookiesDomainNamesTheService) {
  const auto app = [this](std::string_view cookie) {
    return classifier_->app_name(
        verdict(text("HTTP/1.1 200 OK\r\nSet-Cookie: ") + text(cookie) + text("\r\n\r\n"), net::kTcp).app);
  };
  EXPECT_EQ(app("a=b; path=/; domain=.netflix.com; secure"), "netflix");
  EXPECT_EQ(app("a=b;Domain=netflix.com"), "netflix");
  EXPECT_EQ(app("domain=netflix.com; path=/"), "") << "a cookie of that name";
  EXPECT_EQ(app("a=b; domain="), "");
}

TEST_F(JoinedFlows, EnetIsKnownByEitherSidesFirstWords) {
  const auto numbers = be32(1'200) + be32(65'536) + be32(255) + zeros(8) + be32(5'000) + zeros(8) + be32(1);
  const auto verify = Frame{0x80, 0, 0, 0x93, 0x83, 0xff, 0, 1} + zeros(4) + numbers;
  EXPECT_EQ(udp(verify), "enet");
  EXPECT_EQ(udp(Frame{0x8f, 0xff, 0, 0x93, 0x82, 0xff, 0, 1} + zeros(4) + numbers + zeros(4)), "enet");
  EXPECT_EQ(udp(verify + zeros(1)), "unknown");
}

TEST_F(JoinedFlows, HttpResponsesOfBrokenGrammarAreStillHttp) {
  for (const auto* line : {"HTTP/1.1 2xx fine\r\n", "http/1.1 200 OK\r\n", "HTTP/1.10 200 OK\n", "HTTP/2.1 200 ok\r\n",
                           " \r\nHTTP/1.1 200 OK\r\n", "junk\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1\r 200 ok\r\n"})
    EXPECT_EQ(tcp(text(line) + text("Content-Type: text/plain\r\n\r\nx")), "http") << line;
  EXPECT_EQ(tcp(text("http/1.1 is a protocol\r\nand this is a text\r\n")), "unknown") << "no field follows";
}

TEST_F(JoinedFlows, ADocumentOrTheRestOfAHeaderIsHttp) {
  EXPECT_EQ(tcp(text("<!DOCTYPE html>\n<title>x</title>")), "http");
  EXPECT_EQ(tcp(text("<html>hi</html>")), "http");
  EXPECT_EQ(tcp(text("pt: */*\r\nAccept-Encoding: gzip\r\n\r\n")), "http");
  EXPECT_EQ(tcp(text("<htmlish>no</htmlish>")), "unknown");
}

TEST_F(JoinedFlows, FramesOfHttp2AreTold) {
  EXPECT_EQ(tcp(http2_frame(4, 1, 0, {})), "http2");
  EXPECT_EQ(tcp(http2_frame(8, 0, 0, be32(0x3fff0001))), "http2");
  EXPECT_EQ(tcp(http2_frame(6, 0, 0, zeros(8))), "http2");
  EXPECT_EQ(tcp(http2_frame(1, 4, 3, Frame(40, 0x82)) + http2_frame(0, 1, 3, Frame(9, 'x'))), "http2");
  EXPECT_NE(tcp(http2_frame(1, 4, 2, Frame(40, 0x82))), "http2") << "a server opens no stream with HEADERS";
  EXPECT_NE(tcp(http2_frame(8, 0, 0, be32(0))), "http2") << "a window grows by at least one";
}

TEST_F(JoinedFlows, PlainPacketsOfSshAreTold) {
  EXPECT_EQ(tcp(ssh_packet({21})), "ssh") << "new keys";
  EXPECT_EQ(tcp(ssh_packet(Frame{30} + be32(32) + Frame(32, 0x42))), "ssh") << "a public key";
  EXPECT_EQ(tcp(ssh_packet(Frame{34} + be32(2'048) + be32(4'096) + be32(8'192))), "ssh") << "a group asked for";
  EXPECT_EQ(tcp(text("256,hmac-sha2-512,hmac-sha1,umac-64@openssh.com") + zeros(20)), "ssh");
  EXPECT_NE(tcp(ssh_packet(Frame{34} + be32(4'096) + be32(2'048) + be32(8'192))), "ssh")
      << "the least is above the best";
}

TEST_F(JoinedFlows, AnswersOfKafkaAreTold) {
  Frame versions = be16(0) + be32(20);
  for (std::size_t key = 0; key < 20; ++key) versions += be16(key) + be16(0) + be16(9);
  EXPECT_EQ(tcp(be32(versions.size() + 4) + be32(1) + versions), "kafka");
  const auto brokers = be32(1) + be32(1'001) + be16(6) + text("kafka1") + be32(9'092) + zeros(20);
  EXPECT_EQ(tcp(be32(brokers.size() + 4) + be32(7) + brokers), "kafka");
  EXPECT_NE(tcp(be32(brokers.size() + 5) + be32(7) + brokers), "kafka") << "size";
}

TEST_F(JoinedFlows, SealedLdapIsToldByItsWrapToken) {
  const auto token = be16(0x0504) + Frame{5, 0xff} + be16(12) + be16(0) + zeros(4) + be32(77);
  EXPECT_EQ(tcp(be32(token.size() + 30) + token + Frame(30, 0x31)), "ldap");
  EXPECT_NE(tcp(be32(token.size() + 29) + token + Frame(30, 0x31)), "ldap") << "size";
}

TEST_F(JoinedFlows, PrivateMessagesOfNtpCountTheirItems) {
  const auto answer = Frame{0x97, 0, 3, 0x1c} + be16(2) + be16(36);
  EXPECT_EQ(udp(answer + Frame(72, 0x11)), "ntp");
  EXPECT_NE(udp(answer + Frame(71, 0x11)), "ntp");
}

TEST_F(JoinedFlows, RecordsOfDtls13FillTheDatagram) {
  const auto record = Frame{0x2e, 0xba, 0x92} + be16(40) + Frame(40, 0x77);
  EXPECT_EQ(udp(record), "dtls");
  EXPECT_EQ(udp(record + record), "dtls");
  EXPECT_NE(udp(record + Frame{0x2e}), "dtls");
}

TEST_F(JoinedFlows, OtherFirstWordsOfServers) {
  EXPECT_EQ(tcp(text("Version: 2.1.0p3\nAgentOS: linux\nHostname: a\n")), "checkmk");
  EXPECT_EQ(tcp(text("334 ADAT must follow\r\n")), "ftp");
  EXPECT_EQ(tcp(text("cirE\x03\0\0\0"sv) + zeros(48)), "lustre");
  EXPECT_EQ(tcp(text("|1\r\n+ttl\r\n:3600\r\n:3\r\n")), "redis");
  EXPECT_EQ(tcp(text("\r\nI20100\r\n01/01/2024 00:00\r\n")), "atg");
  EXPECT_EQ(tcp(text(":ipv44:abcd12:complete_agoi9e1:md11:upload_onlyi3ee")), "bittorrent");
  EXPECT_EQ(udp(Frame{0xcc, 0xfa, 0xce, 0xb0, 1, 0, 8} + Frame(1'200, 0x33)), "quic");
}

TEST_F(JoinedFlows, ListingsOfFilesAreDataOfFtp) {
  EXPECT_EQ(tcp(text("total 4\r\n-rw-r--r--   1 ftp ftp  12 Jan  1 00:00 a.txt\r\n")), "ftp_data");
  EXPECT_EQ(tcp(text("drwxr-sr-x+  2 1000 1000 4096 Jan  1 00:00 pub\r\n")), "ftp_data");
  EXPECT_EQ(tcp(text("01-02-24  10:11AM       <DIR>          pub\r\n")), "ftp_data");
  EXPECT_EQ(tcp(text("type=file;modify=20240102030405;size=12; a.txt\r\n")), "ftp_data");
  EXPECT_EQ(tcp(text("-rw is what I typed\r\n")), "unknown");
}

TEST_F(JoinedFlows, ABitFieldAloneProvesNoTorrent) {
  const auto field = be32(80) + Frame{5} + Frame(79, 0xff);
  EXPECT_NE(tcp(field), "bittorrent");
  EXPECT_EQ(tcp(field + be32(1) + Frame{2}), "bittorrent") << "interested follows";
}

TEST(Coverage, EveryProtocolAnOperatorExpectsIsThere) {
  const auto classifier = Classifier::load(test::kSignatures, test::kSignatureCache);
  ASSERT_TRUE(classifier) << classifier.error().message;
  std::set<std::string_view> known;
  for (std::size_t id = 1; id < (*classifier)->protocol_count(); ++id)
    known.insert((*classifier)->protocol_name(static_cast<ProtocolId>(id)));
  EXPECT_GE(known.size(), 300u);
  for (const auto* name :
       {"http",  "http2", "websocket", "ssh",      "smtp",   "pop3", "imap",     "ftp",        "sip",     "rtsp",
        "mysql", "mssql", "mongodb",   "oracle",   "db2",    "nats", "redis",    "memcached",  "amqp",    "stomp",
        "mqtt",  "smb",   "rdp",       "vnc",      "stun",   "rtmp", "ipsec",    "wireguard",  "bitcoin", "mining",
        "git",   "rsync", "dns",       "mdns",     "llmnr",  "snmp", "ldap",     "netbios",    "ntp",     "radius",
        "bgp",   "dnp3",  "modbus",    "s7comm",   "bacnet", "nfs",  "kafka",    "cassandra",  "dcerpc",  "openvpn",
        "vxlan", "gtp",   "rtp",       "postgres", "rtcp",   "tls",  "kerberos", "bittorrent", "quic"})
    EXPECT_TRUE(known.contains(name)) << name;
}

}  // namespace
}  // namespace foreflow::classify
