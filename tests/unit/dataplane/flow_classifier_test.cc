// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/flow_classifier.h"

#include <string>

#include <gtest/gtest.h>

#include "common/units.h"
#include "tests/unit/dataplane/flow_fixture.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow::classify {
namespace {

TEST_F(FlowClassifierTest, AHelloOverTwoSegmentsIsNamed) {
  const auto hello = testing::tls_client_hello("www.netflix.com");
  auto flow = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(flow, 0, Frame(hello.begin(), hello.begin() + 70)));
  EXPECT_EQ(protocol(flow), "tls") << "known already, while its name is awaited";
  EXPECT_TRUE(say(flow, 0, Frame(hello.begin() + 70, hello.end())));
  EXPECT_EQ(app(flow), "netflix");
  EXPECT_EQ(flow.verdict.category, Category::kVideo);
  EXPECT_EQ(flow.id, 0u);
}

TEST_F(FlowClassifierTest, AHelloWithoutANameIsNamedByTheCertificate) {
  auto flow = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(flow, 0, testing::tls_client_hello("")));
  auto certificate =
      bytes(std::string("\x0b\x00\x00\x40\x06\x03\x55\x1d\x11\x04\x11\x30\x0f\x82\x0d", 15) + "*.netflix.com");
  certificate.resize(68);
  Frame hello = {2, 0, 0, 38, 3, 3};
  hello.resize(42);
  auto flight = testing::tls_record(22, hello);
  for (const auto byte : testing::tls_record(22, certificate)) flight.push_back(byte);
  EXPECT_FALSE(say(flow, 1, Frame(flight.begin(), flight.begin() + 60)));
  EXPECT_TRUE(say(flow, 1, Frame(flight.begin() + 60, flight.end())));
  EXPECT_EQ(app(flow), "netflix");
}

TEST_F(FlowClassifierTest, WithoutTheQuestionLaterAnswersSayWhatAConnectionIsFor) {
  const auto answer = [](std::string_view field) {
    return bytes("HTTP/1.1 200 OK\r\n" + std::string(field) + "\r\n\r\n");
  };
  auto film = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(film, 1, answer("Content-Type: text/html")));
  EXPECT_EQ(protocol(film), "http");
  EXPECT_FALSE(say(film, 1, bytes("<html>")));
  auto meanwhile = tcp_flow(40'001, 30'000);
  say(meanwhile, 1, bytes("nothing that anyone knows"));
  EXPECT_EQ(classifier().protocol_name(engine_->conclude(meanwhile.id, meanwhile.ends, kNanosPerSecond).protocol),
            "http")
      << "the end is known while the first flow is still looked at";
  EXPECT_TRUE(say(film, 1, answer("Content-Type: video/x-flv")));
  EXPECT_EQ(film.verdict.category, Category::kVideo);

  auto named = tcp_flow(40'002, 30'001);
  EXPECT_FALSE(say(named, 1, answer("Content-Type: text/html")));
  EXPECT_TRUE(say(named, 1, answer("Set-Cookie: id=1; Path=/; Domain=.netflix.com")));
  EXPECT_EQ(app(named), "netflix");

  auto asked = tcp_flow(40'003, 30'002);
  EXPECT_TRUE(say(asked, 0, bytes("GET / HTTP/1.1\r\nHost: intranet\r\n\r\n"))) << "a question needs no answer";
}

TEST_F(FlowClassifierTest, WhereNoNameIsStatedTheNetworkOfTheServerSaysTheService) {
  const auto at_telegram = [](Flow flow) {
    flow.ends.address[1].bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 149, 154, 167, 99};
    return flow;
  };
  auto joined = at_telegram(tcp_flow(40'000, 30'000));
  EXPECT_TRUE(say(joined, 1, testing::tls_record(23, Frame(64, 7))));
  EXPECT_EQ(protocol(joined), "tls");
  EXPECT_EQ(app(joined), "telegram");
  EXPECT_EQ(joined.verdict.category, Category::kChat);
  EXPECT_EQ(joined.verdict.source, Source::kNetwork);

  auto named = at_telegram(tcp_flow(40'001, 30'000));
  say(named, 0, testing::tls_client_hello("www.netflix.com"));
  EXPECT_EQ(app(named), "netflix") << "a name says more";

  auto unknown = at_telegram(udp_flow(40'002, 30'011));
  say(unknown, 0, bytes("nothing that anyone knows"));
  const auto verdict = engine_->conclude(unknown.id, unknown.ends, kNanosPerSecond);
  EXPECT_EQ(verdict.protocol, 0);
  EXPECT_EQ(verdict.category, Category::kChat);
  EXPECT_LT(verdict.confidence, 50);
}

TEST_F(FlowClassifierTest, ACertificateOfManyServicesIsOfTheKindThatMostNamesAre) {
  const auto category_of = [this](std::initializer_list<std::string_view> names) {
    start();
    auto certificate = bytes(std::string("\x06\x03\x55\x1d\x11\x04\x00\x30\x00", 9));
    for (const auto name : names) {
      certificate.push_back(0x82);
      certificate.push_back(static_cast<std::uint8_t>(name.size()));
      certificate.insert(certificate.end(), name.begin(), name.end());
    }
    Frame message = {11, 0, 0, static_cast<std::uint8_t>(certificate.size())};
    message.insert(message.end(), certificate.begin(), certificate.end());
    auto flow = tcp_flow(40'000, 30'000);
    say(flow, 0, testing::tls_client_hello(""));
    say(flow, 1, testing::tls_record(22, message));
    return flow.verdict.category;
  };
  EXPECT_EQ(category_of({"mail.google.com", "www.youtube.com", "i.ytimg.com"}), Category::kVideo);
  EXPECT_EQ(category_of({"mail.google.com", "www.youtube.com"}), Category::kMail) << "the first of equals";
  EXPECT_EQ(category_of({"intranet.example"}), Category::kWeb);
}

// A handshake's record with a certificate's issuer and subject in it.
Frame certificate_of(std::string_view issuer, std::string_view subject) {
  Frame names;
  for (const auto name : {issuer, subject}) {
    for (const auto byte : bytes(std::string("\x06\x03\x55\x04\x03\x0c", 6))) names.push_back(byte);
    names.push_back(static_cast<std::uint8_t>(name.size()));
    names.insert(names.end(), name.begin(), name.end());
  }
  Frame message = {11, 0, 0, static_cast<std::uint8_t>(names.size())};
  message.insert(message.end(), names.begin(), names.end());
  return testing::tls_record(22, message);
}

TEST_F(FlowClassifierTest, TorIsKnownByTheNamesThatItMakesUp) {
  const auto app_of = [this](std::string_view asked, std::string_view issuer, std::string_view subject) {
    start();
    auto flow = tcp_flow(40'000, 30'000);
    say(flow, 0, testing::tls_client_hello(asked));
    if (!flow.is_final) say(flow, 1, certificate_of(issuer, subject));
    EXPECT_EQ(protocol(flow), "tls");
    EXPECT_EQ(flow.verdict.category, app(flow) == "tor" ? Category::kVpnTunnel : Category::kWeb);
    return app(flow);
  };
  EXPECT_EQ(app_of("www.q4ryt7zc2lbna.com", "www.zx5ybfwu3op.com", "www.mp27gkhvr4sdd.net"), "tor");
  EXPECT_EQ(app_of("", "www.zx5ybfwu3op.com", "www.mp27gkhvr4sdd.net"), "tor");
  EXPECT_EQ(app_of("www.q4ryt7zc2lbna.com", "Example CA", "www.q4ryt7zc2lbna.com"), "");
  EXPECT_EQ(app_of("", "www.zx5ybfwu3op.com", "www.bookshop.net"), "");
}

TEST_F(FlowClassifierTest, AHellosFingerprintIsThereOnceItIsWholeAndOnlyWhereAskedFor) {
  const auto hello = testing::tls_client_hello("www.netflix.com");
  auto unasked = tcp_flow(40'000, 30'000);
  say(unasked, 0, hello);
  EXPECT_EQ(engine_->hello(), nullptr);
  start({.conversations = 64, .fingerprints = true});
  auto flow = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(flow, 0, Frame(hello.begin(), hello.end() - 3)));
  EXPECT_EQ(engine_->hello(), nullptr);
  EXPECT_TRUE(say(flow, 0, Frame(hello.end() - 3, hello.end())));
  ASSERT_NE(engine_->hello(), nullptr);
  EXPECT_TRUE(engine_->hello()->fingerprint.view().starts_with("t13d020200_")) << engine_->hello()->fingerprint.view();
  EXPECT_FALSE(engine_->hello()->has_encrypted_hello);
  EXPECT_EQ(app(flow), "netflix");
  auto message = testing::tls_client_hello("www.netflix.com");
  message.erase(message.begin(), message.begin() + 5);
  auto quic = udp_flow(40'000, 30'000);
  EXPECT_TRUE(say(quic, 0, testing::quic_sample_initial(0, testing::quic_crypto(0, message))));
  ASSERT_NE(engine_->hello(), nullptr);
  EXPECT_TRUE(engine_->hello()->fingerprint.view().starts_with("q13d0202"));
}

TEST_F(FlowClassifierTest, DnsToAGroupIsTheProtocolThatTheGroupBelongsTo) {
  const auto message = bytes(std::string("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03", 13) + "web" +
                             std::string("\x07"
                                         "example\x00\x00\x01\x00\x01",
                                         13));
  const auto protocol_to = [&](const net::IpAddress& group) {
    auto flow = udp_flow(40'000, 30'000);
    flow.ends.address[1] = group;
    say(flow, 0, message);
    flow.verdict = engine_->conclude(flow.id, flow.ends, kNanosPerSecond);
    return protocol(flow);
  };
  const auto v4_group = [](std::uint8_t last) {
    return net::IpAddress{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 0, last}};
  };
  const auto v6_group = [](std::uint8_t high, std::uint8_t low) {
    return net::IpAddress{{0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, 0, low}};
  };
  EXPECT_EQ(protocol_to(v4_group(251)), "mdns");
  EXPECT_EQ(protocol_to(v6_group(0, 0xfb)), "mdns");
  EXPECT_EQ(protocol_to(v4_group(252)), "llmnr");
  EXPECT_EQ(protocol_to(v6_group(1, 3)), "llmnr");
  EXPECT_EQ(protocol_to(v4_group(250)), "dns");
}

TEST_F(FlowClassifierTest, TlsOnAPortOfOneProtocolIsThatProtocolWherePortsMayHint) {
  const auto named = [this](std::uint16_t port) {
    auto flow = tcp_flow(40'000, port);
    say(flow, 0, testing::tls_client_hello("somewhere.example"));
    return std::pair(protocol(flow), flow.verdict.category);
  };
  EXPECT_EQ(named(465), std::pair(std::string_view("smtps"), Category::kMail));
  EXPECT_EQ(named(853), std::pair(std::string_view("tls"), Category::kDns));
  EXPECT_EQ(named(443), std::pair(std::string_view("tls"), Category::kWeb));
  start({.conversations = 64, .port_hints = false});
  EXPECT_EQ(named(465), std::pair(std::string_view("tls"), Category::kWeb));
}

TEST_F(FlowClassifierTest, QuicIsNamedByItsInitialPackets) {
  auto hello = testing::tls_client_hello("www.netflix.com");
  hello.erase(hello.begin(), hello.begin() + 5);
  auto flow = udp_flow(40'000, 30'000);
  EXPECT_TRUE(say(flow, 0, testing::quic_sample_initial(0, testing::quic_crypto(0, hello))));
  EXPECT_EQ(protocol(flow), "quic");
  EXPECT_EQ(app(flow), "netflix");
}

TEST_F(FlowClassifierTest, ASessionJoinedInTheMiddleIsNamedByAnEarlierFlowToTheSameEnd) {
  auto first = tcp_flow(40'000, 30'000);
  say(first, 0, testing::tls_client_hello("www.netflix.com"));
  auto second = tcp_flow(40'001, 30'000);
  EXPECT_TRUE(say(second, 1, testing::tls_record(23, Frame(100, 7))));
  EXPECT_EQ(app(second), "netflix");
  EXPECT_EQ(second.verdict.source, Source::kCached);
  auto elsewhere = tcp_flow(40'001, 30'000, 3);
  say(elsewhere, 1, testing::tls_record(23, Frame(100, 7)));
  EXPECT_EQ(app(elsewhere), "");
  auto of_another_vm = tcp_flow(40'001, 30'000);
  of_another_vm.ends.vm = 5;
  say(of_another_vm, 1, testing::tls_record(23, Frame(100, 7)));
  EXPECT_EQ(app(of_another_vm), "");
}

TEST_F(FlowClassifierTest, ADnsAnswerNamesTheFlowsToItsAddresses) {
  using namespace std::string_literals;
  auto dns = udp_flow(40'000, 53, 53);
  const auto question =
      "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07netflix\x03"s + "com\x00\x00\x01\x00\x01"s;
  EXPECT_FALSE(say(dns, 0, bytes(question)));
  auto answer = question + "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x09"s;
  answer[2] = '\x81', answer[3] = '\x80', answer[7] = 1;
  EXPECT_TRUE(say(dns, 1, bytes(answer)));
  EXPECT_EQ(protocol(dns), "dns");
  auto flow = tcp_flow(40'001, 443, 9);
  EXPECT_TRUE(say(flow, 1, testing::tls_record(23, Frame(100, 7))));
  EXPECT_EQ(app(flow), "netflix");
}

TEST_F(FlowClassifierTest, TheDataChannelThatFtpAnnouncesIsKnownByItsFirstPayload) {
  auto control = tcp_flow(40'000, 30'021);
  say(control, 1, bytes("220 ProFTPD FTP server ready\r\n"));
  say(control, 0, bytes("USER anonymous\r\n"));
  say(control, 1, bytes("227 Entering Passive Mode (10,0,0,2,117,48)\r\n"));
  ASSERT_EQ(protocol(control), "ftp");
  auto data = tcp_flow(40'001, 117 * 256 + 48);
  EXPECT_TRUE(say(data, 1, Frame(1'000, 0x5a)));
  EXPECT_EQ(protocol(data), "ftp_data");
  EXPECT_EQ(data.verdict.category, Category::kFileTransfer);
}

TEST_F(FlowClassifierTest, MailThatAsksForTlsIsMailOverTls) {
  auto flow = tcp_flow(40'000, 30'025);
  say(flow, 1, bytes("220 mail.example ESMTP Postfix\r\n"));
  say(flow, 0, bytes("EHLO me.example\r\n"));
  ASSERT_EQ(protocol(flow), "smtp");
  EXPECT_TRUE(say(flow, 0, bytes("STARTTLS\r\n")));
  EXPECT_EQ(protocol(flow), "smtps");
}

TEST_F(FlowClassifierTest, APortAloneIsAGuessThatCanBeRefused) {
  auto flow = tcp_flow(40'000, 5'432);
  const auto guessed = engine_->guess(flow.ends, 0);
  EXPECT_EQ(classifier().protocol_name(guessed.protocol), "postgres");
  EXPECT_EQ(guessed.source, Source::kPort);
  EXPECT_LE(guessed.confidence, 30);
  start({.conversations = 4, .port_hints = false});
  EXPECT_EQ(engine_->guess(flow.ends, 0).protocol, 0);
}

TEST_F(FlowClassifierTest, AFlowThatFindsNoFreeConversationIsStillJudgedByEachPayload) {
  start({.conversations = 1});
  auto waiting = tcp_flow(40'000, 30'000);
  EXPECT_FALSE(say(waiting, 0, Frame(20, 0x5a)));
  auto flow = tcp_flow(40'001, 30'001);
  EXPECT_FALSE(say(flow, 0, Frame(20, 0x5a)));
  EXPECT_EQ(flow.id, 0u);
  EXPECT_TRUE(say(flow, 0, bytes("GET / HTTP/1.1\r\nHost: www.example.org\r\n\r\n")));
  EXPECT_EQ(protocol(flow), "http");
  EXPECT_EQ(engine_->conversations_exhausted(), 2u);
  engine_->forget(waiting.id);
  auto next = tcp_flow(40'002, 30'001);
  say(next, 0, Frame(20, 0x5a));
  EXPECT_NE(next.id, 0u);
}

TEST_F(FlowClassifierTest, WhatCannotBeNamedIsToldByItsBehaviourWithLowConfidence) {
  start({.conversations = 64, .port_hints = false});
  auto call = udp_flow(40'000, 30'000);
  for (int i = 0; i < 10 && !call.is_final; ++i) {
    Frame noise(i % 3 == 0 ? 130 : 70, 0xff);
    for (std::size_t at = 1; at < noise.size(); ++at) noise[at] = static_cast<std::uint8_t>(at * 37 + i * 11);
    call.is_final =
        engine_->inspect(call.id, call.ends,
                         {noise, static_cast<Side>(i % 4 < 2), 0, kNanosPerSecond + i * 10'000'000ull}, call.verdict);
  }
  ASSERT_TRUE(call.is_final);
  EXPECT_EQ(protocol(call), "unknown");
  EXPECT_EQ(call.verdict.category, Category::kUnknown);
  EXPECT_EQ(call.verdict.source, Source::kBehaviour);
  EXPECT_EQ(call.verdict.behaviour, Behaviour::kRealTime);
  EXPECT_LE(call.verdict.confidence, 40);
}

TEST_F(FlowClassifierTest, PayloadEvidenceLeavesNoWordToBehaviour) {
  auto flow = tcp_flow(40'000, 30'000);
  say(flow, 0, testing::tls_client_hello("www.netflix.com"));
  EXPECT_EQ(flow.verdict.behaviour, Behaviour::kNone);
}

TEST_F(FlowClassifierTest, AConnectionThatWasAskedForAndSaidNothingLooksLikeAScan) {
  auto probe = tcp_flow(40'000, 30'000);
  EXPECT_EQ(engine_->conclude(probe.id, probe.ends, kNanosPerSecond).behaviour, Behaviour::kNone) << "it may be old";
  probe.ends.client = 0;
  const auto verdict = engine_->conclude(probe.id, probe.ends, kNanosPerSecond);
  EXPECT_EQ(verdict.behaviour, Behaviour::kScan);
  EXPECT_EQ(verdict.source, Source::kBehaviour);
}

TEST_F(FlowClassifierTest, AFlowThatSaysNothingKnownEndsWithItsBudget) {
  auto flow = tcp_flow(40'000, 30'000);
  int payloads = 0;
  while (!flow.is_final && payloads < 100) say(flow, 0, Frame(20, 0x5a)), ++payloads;
  EXPECT_EQ(payloads, FlowClassifierConfig{}.most_payloads);
  EXPECT_EQ(flow.verdict.protocol, 0);
}

}  // namespace
}  // namespace foreflow::classify
