// SPDX-License-Identifier: Apache-2.0
// What is read of a flow once its protocol is known.
#include <string>

#include "tests/unit/dataplane/flow_fixture.h"

namespace foreflow::classify {
namespace {

using namespace std::string_literals;

class FlowFollowTest : public FlowClassifierTest {};

TEST_F(FlowFollowTest, BothAnswersOfAResolverThatAsksTwiceAreRead) {
  const auto question = [](char type) {
    return "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07netflix\x03"s + "com\x00\x00"s + type +
           "\x00\x01"s;
  };
  const auto answer = [&](char type, const std::string& address) {
    auto text = question(type) + "\xc0\x0c\x00"s + type + "\x00\x01\x00\x00\x00\x3c\x00"s +
                static_cast<char>(address.size()) + address;
    text[2] = '\x81', text[3] = '\x80', text[7] = 1;
    return bytes(text);
  };
  const auto joined = [this](std::uint8_t server) {
    auto flow = tcp_flow(40'001, 443, server);
    say(flow, 1, testing::tls_record(23, Frame(100, 7)));
    return app(flow);
  };
  const auto long_one = answer('\x1c', std::string(15, '\x20') + '\x01'),
             short_one = answer('\x01', "\x0a\x00\x00\x09"s);
  auto dns = udp_flow(40'000, 53, 53);
  EXPECT_FALSE(say(dns, 0, bytes(question('\x01'))));
  EXPECT_FALSE(say(dns, 0, bytes(question('\x1c'))));
  EXPECT_FALSE(say(dns, 1, long_one)) << "one is to come";
  EXPECT_EQ(joined(9), "");
  EXPECT_TRUE(say(dns, 1, short_one));
  EXPECT_EQ(joined(9), "netflix");

  start();
  auto answers_alone = udp_flow(40'000, 53, 53);
  EXPECT_FALSE(say(answers_alone, 1, long_one)) << "how many questions there were is not known";
  EXPECT_TRUE(say(answers_alone, 1, short_one));
  EXPECT_EQ(joined(9), "netflix");
}

TEST_F(FlowFollowTest, AServerThatOffersTlsIsNotAClientThatAsksForIt) {
  const auto after = [this](std::string_view greeting, std::string_view offer, std::string_view question) {
    auto flow = tcp_flow(40'000, 30'025);
    say(flow, 1, bytes(greeting));
    say(flow, 1, bytes(offer));
    const auto offered = std::string(protocol(flow));
    say(flow, 0, bytes(question));
    return std::pair(offered, std::string(protocol(flow)));
  };
  using Names = std::pair<std::string, std::string>;
  EXPECT_EQ(after("220 mail.example ESMTP Postfix\r\n", "250-mail.example\r\n250 STARTTLS\r\n", "STARTTLS\r\n"),
            Names("smtp", "smtps"));
  EXPECT_EQ(after("* OK IMAP4rev1 Service Ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\n", "2 STARTTLS\r\n"),
            Names("imap", "imaps"));
  EXPECT_EQ(after("* OK IMAP4rev1 Service Ready\r\n", "* CAPABILITY IMAP4rev1 STARTTLS\r\n", "2 NOOP\r\n"),
            Names("imap", "imap"));
}

TEST_F(FlowFollowTest, ASourceFileIsNotASegmentOfAFilm) {
  const auto category_of = [this](std::string_view path) {
    auto flow = tcp_flow(40'000, 30'000);
    say(flow, 0, bytes("GET " + std::string(path) + " HTTP/1.1\r\nHost: site.example\r\n\r\n"));
    return flow.verdict.category;
  };
  EXPECT_EQ(category_of("/src/main.ts"), Category::kWeb);
  EXPECT_EQ(category_of("/src/main.ts?t=1718"), Category::kWeb);
  EXPECT_EQ(category_of("/live/seg-00042.ts"), Category::kVideo);
  EXPECT_EQ(category_of("/live/42.TS?token=a"), Category::kVideo);
}

TEST_F(FlowFollowTest, AHostInTheSecondSegmentOfAQuestionIsRead) {
  auto cut = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(cut, 0, bytes("GET /a HTTP/1.1\r\nAccept: text/html\r\nHo")));
  EXPECT_EQ(protocol(cut), "http");
  EXPECT_FALSE(say(cut, 0, bytes("st: www.netflix")));
  EXPECT_TRUE(say(cut, 0, bytes(".com\r\n\r\n")));
  EXPECT_EQ(app(cut), "netflix");

  auto nameless = tcp_flow(40'001, 30'001);
  EXPECT_TRUE(say(nameless, 0, bytes("GET /a HTTP/1.0\r\nAccept: text/html\r\n\r\n"))) << "it is all there";
  auto ends_late = tcp_flow(40'002, 30'002);
  EXPECT_FALSE(say(ends_late, 0, bytes("GET /a HTTP/1.0\r\nAccept: text/html\r\n")));
  EXPECT_TRUE(say(ends_late, 0, bytes("\r\n")));
  auto answered = tcp_flow(40'003, 30'003);
  EXPECT_FALSE(say(answered, 0, bytes("GET /a HTTP/1.0\r\nAccept: text/html\r\n")));
  EXPECT_TRUE(say(answered, 1, bytes("HTTP/1.0 200 OK\r\n\r\n")));
}

TEST_F(FlowFollowTest, AnUpgradeToWebSocketIsWebSocket) {
  auto asked = tcp_flow(40'000, 30'000);
  EXPECT_TRUE(say(asked, 0,
                  bytes("GET /chat HTTP/1.1\r\nHost: www.netflix.com\r\nConnection: Upgrade\r\nupgrade: WebSocket\r\n"
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")));
  EXPECT_EQ(protocol(asked), "websocket");
  EXPECT_EQ(app(asked), "netflix");
  auto answered = tcp_flow(40'001, 30'001);
  say(answered, 1, bytes("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"));
  EXPECT_EQ(protocol(answered), "websocket");

  auto in_pieces = tcp_flow(40'002, 30'002);
  EXPECT_FALSE(say(in_pieces, 0, bytes("GET /chat HTTP/1.1\r\nOrigin: http://a.example\r\n")));
  EXPECT_TRUE(say(in_pieces, 0, bytes("Upgrade: websocket\r\n\r\n")));
  EXPECT_EQ(protocol(in_pieces), "websocket");

  auto about_it = tcp_flow(40'003, 30'003);
  say(about_it, 0, bytes("GET /websocket HTTP/1.1\r\nHost: site.example\r\nUpgrade: h2c\r\n\r\n"));
  EXPECT_EQ(protocol(about_it), "http");
}

TEST_F(FlowFollowTest, ADatabaseThatGoesOnInTlsIsNamedByItsServer) {
  const auto hello = testing::tls_client_hello("app.cx1.eu-west-1.rds.amazonaws.com");
  auto postgres = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(postgres, 0, bytes("\x00\x00\x00\x08\x04\xd2\x16\x2f"s)));
  EXPECT_EQ(protocol(postgres), "postgres");
  EXPECT_FALSE(say(postgres, 1, bytes("S")));
  EXPECT_FALSE(say(postgres, 0, Frame(hello.begin(), hello.begin() + 70)));
  EXPECT_TRUE(say(postgres, 0, Frame(hello.begin() + 70, hello.end())));
  EXPECT_EQ(protocol(postgres), "postgres");
  EXPECT_EQ(app(postgres), "rds");
  EXPECT_EQ(postgres.verdict.category, Category::kDatabase);

  auto greeting = bytes(
      "\x36\x00\x00\x00\x0a"
      "8.0.36\0"s +
      std::string(12, '\x08') + "\0"s);
  greeting.insert(greeting.end(), {0xff, 0xff});
  greeting.resize(4 + 0x36, 1);
  Frame request{32, 0, 0, 1, 0x85, 0xae, 0xff, 0x19, 0, 0, 0, 1, 0xff};
  request.resize(36);
  auto mysql = tcp_flow(40'001, 30'001);
  EXPECT_FALSE(say(mysql, 1, greeting));
  EXPECT_FALSE(say(mysql, 0, request));
  EXPECT_TRUE(say(mysql, 0, testing::tls_client_hello("www.netflix.com")));
  EXPECT_EQ(protocol(mysql), "mysql");
  EXPECT_EQ(app(mysql), "netflix");
  EXPECT_EQ(mysql.verdict.category, Category::kDatabase) << "whatever its server is called";

  const auto prelogin = [](const Frame& content) {
    Frame packet{0x12, 1, 0, static_cast<std::uint8_t>(8 + content.size()), 0, 0, 1, 0};
    packet.insert(packet.end(), content.begin(), content.end());
    return packet;
  };
  auto tds = tcp_flow(40'002, 30'002);
  EXPECT_FALSE(say(tds, 0, prelogin({0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 1, 1, 1, 1, 1, 1, 1})));
  EXPECT_TRUE(say(tds, 0, prelogin(hello)));
  EXPECT_EQ(protocol(tds), "mssql");
  EXPECT_EQ(app(tds), "rds");
}

TEST_F(FlowFollowTest, ADatabaseThatStaysPlainIsNotFollowedForLong) {
  auto postgres = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(postgres, 0, bytes("\x00\x00\x00\x08\x04\xd2\x16\x2f"s)));
  for (int i = 0; i < 3 && !postgres.is_final; ++i) say(postgres, i % 2 == 0 ? 1 : 0, bytes("N"));
  EXPECT_TRUE(postgres.is_final);
  auto plain = tcp_flow(40'001, 30'001);
  EXPECT_TRUE(say(plain, 0,
                  bytes("\x00\x00\x00\x12\x00\x03\x00\x00user\x00"
                        "app\x00\x00"s)));
  EXPECT_EQ(protocol(plain), "postgres");
}

TEST_F(FlowFollowTest, AnEncryptedHelloIsNoticed) {
  for (const std::string name : {"www.netflix.com", "front.example"}) {
    auto plain = tcp_flow(40'000, 30'000);
    EXPECT_TRUE(say(plain, 0, testing::tls_client_hello(name)));
    EXPECT_FALSE(plain.verdict.has_encrypted_hello);
    auto encrypted = tcp_flow(40'001, 30'000);
    EXPECT_TRUE(say(encrypted, 0, testing::with_encrypted_hello(testing::tls_client_hello(name))));
    EXPECT_TRUE(encrypted.verdict.has_encrypted_hello) << name;
    EXPECT_EQ(app(encrypted), app(plain));
  }
  start({.conversations = 64, .fingerprints = true});
  auto flow = tcp_flow(40'000, 30'000);
  say(flow, 0, testing::with_encrypted_hello(testing::tls_client_hello("front.example")));
  ASSERT_NE(engine_->hello(), nullptr);
  EXPECT_TRUE(engine_->hello()->has_encrypted_hello);
}

TEST_F(FlowFollowTest, TheMediaThatRtspAndSipAnnounceAreRtp) {
  const auto media = [this](std::uint16_t port) {
    auto flow = udp_flow(40'100, port);
    say(flow, 1, Frame(160, 0x5a));
    return std::string(protocol(flow));
  };
  auto sip = udp_flow(40'000, 30'060);
  say(sip, 0,
      bytes("INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nContent-Type: application/sdp\r\n\r\n"
            "v=0\r\nc=IN IP4 10.0.0.2\r\nm=audio 49170 RTP/AVP 0\r\n"));
  ASSERT_EQ(protocol(sip), "sip");
  EXPECT_EQ(media(49'170), "rtp");
  EXPECT_NE(media(49'180), "rtp") << "nobody announced it";

  auto rtsp = tcp_flow(40'001, 30'554);
  say(rtsp, 0,
      bytes("SETUP rtsp://10.0.0.2/film/track1 RTSP/1.0\r\nCSeq: 3\r\n"
            "Transport: RTP/AVP;unicast;client_port=8000-8001\r\n\r\n"));
  ASSERT_EQ(protocol(rtsp), "rtsp");
  EXPECT_EQ(media(8'000), "rtp");
}

}  // namespace
}  // namespace foreflow::classify
