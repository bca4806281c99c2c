// SPDX-License-Identifier: Apache-2.0
// What the flow classifier reads by: assemblies, QUIC, certificates, DNS answers, announcements, recent addresses.
#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "dataplane/classify/announcement.h"
#include "dataplane/classify/assembly.h"
#include "dataplane/classify/dns.h"
#include "dataplane/classify/fingerprint.h"
#include "dataplane/classify/quic.h"
#include "dataplane/classify/recent.h"
#include "dataplane/classify/tls.h"
#include "tests/unit/dataplane/payload_samples.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow::classify {
namespace {

using namespace foreflow::testing;  // NOLINT: builders of bytes

net::Octets octets(std::string_view text) {
  return {std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()), text.size()};
}

net::IpAddress v4(std::uint8_t last) {
  net::IpAddress address;
  address.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, last};
  return address;
}

TEST(Assembly, PiecesInAnyOrderGiveTheStream) {
  std::mt19937 random(1);
  for (int round = 0; round < 500; ++round) {
    Frame stream(1 + random() % 2'500);
    for (auto& byte : stream) byte = static_cast<std::uint8_t>(random());
    Assembly assembly;
    for (int pieces = 0; pieces < 400; ++pieces) {
      const auto at = random() % stream.size();
      const auto size = 1 + random() % std::min<std::size_t>(300, stream.size() - at);
      assembly.add(at, std::span<const std::uint8_t>(stream).subspan(at, std::min(size, stream.size() - at)));
    }
    assembly.add(0, stream);
    const auto prefix = assembly.prefix();
    ASSERT_EQ(prefix.size(), std::min(stream.size(), Assembly::kCapacity));
    EXPECT_TRUE(std::equal(prefix.begin(), prefix.end(), stream.begin()));
  }
}

TEST(Assembly, AHoleAtTheStartGivesNothingUntilItIsFilled) {
  Assembly assembly;
  assembly.add(3, octets("def"));
  EXPECT_TRUE(assembly.prefix().empty());
  assembly.add(0, octets("abc"));
  EXPECT_EQ(net::Octets(assembly.prefix()).text(), "abcdef");
}

TEST(AssemblyPool, AVmHoldsNoMoreThanItsQuota) {
  AssemblyPool pool(4, 2);
  auto first = pool.take(7);
  EXPECT_NE(first, 0);
  EXPECT_NE(pool.take(7), 0);
  EXPECT_EQ(pool.take(7), 0);
  EXPECT_EQ(pool.exhausted(), 1u);
  EXPECT_NE(pool.take(8), 0) << "another VM still gets one";
  pool.give_back(first);
  EXPECT_EQ(first, 0);
  EXPECT_NE(pool.take(7), 0);
}

Frame client_hello_message(std::string_view name) {
  auto record = testing::tls_client_hello(name);
  record.erase(record.begin(), record.begin() + 5);
  return record;
}

TEST(Quic, AnInitialPacketOpensWithTheKeysOfRfc9001) {
  auto decoder = QuicDecoder::create();
  ASSERT_TRUE(decoder);
  const auto hello = client_hello_message("quic.example");
  const auto datagram = testing::quic_sample_initial(2, testing::quic_crypto(0, hello));
  QuicKeys keys;
  Assembly assembly;
  EXPECT_TRUE((*decoder)->read(datagram, keys, [&](std::uint64_t at, net::Octets bytes) { assembly.add(at, bytes); }));
  EXPECT_TRUE(keys.is_set);
  EXPECT_EQ(read_client_hello(assembly.prefix()).server_name, "quic.example");
}

TEST(Quic, AHelloOverSeveralPacketsOutOfOrderIsReadWhole) {
  auto decoder = QuicDecoder::create();
  ASSERT_TRUE(decoder);
  const auto hello = client_hello_message("a.long.name.of.a.host.quic.example");
  const auto all = std::span<const std::uint8_t>(hello);
  const auto late = testing::quic_sample_initial(3, testing::quic_crypto(60, all.subspan(60)));
  auto frames = testing::quic_crypto(30, all.subspan(30, 30));
  const auto first = testing::quic_crypto(0, all.first(30));
  frames.insert(frames.end(), {1, 0, 0});  // a ping and padding in between
  frames.insert(frames.end(), first.begin(), first.end());
  const auto early = testing::quic_sample_initial(2, frames);
  QuicKeys keys;
  Assembly assembly;
  const auto add = [&](std::uint64_t at, net::Octets bytes) { assembly.add(at, bytes); };
  EXPECT_TRUE((*decoder)->read(late, keys, add));
  EXPECT_TRUE(read_client_hello(assembly.prefix()).server_name.empty());
  EXPECT_TRUE((*decoder)->read(early, keys, add));
  EXPECT_EQ(read_client_hello(assembly.prefix()).server_name, "a.long.name.of.a.host.quic.example");
}

TEST(Quic, AChangedPacketDoesNotOpen) {
  auto decoder = QuicDecoder::create();
  ASSERT_TRUE(decoder);
  auto datagram = testing::quic_sample_initial(2, testing::quic_crypto(0, client_hello_message("quic.example")));
  datagram[600] ^= 1;
  QuicKeys keys;
  EXPECT_FALSE((*decoder)->read(datagram, keys, [](std::uint64_t, net::Octets) { FAIL(); }));
}

TEST(Tls, NamesOfACertificateAreFoundWithoutItsStart) {
  const std::string der = std::string("\x03\x55\x04\x03\x0c\x0e", 6) + "cn.example.org" +
                          std::string("\x06\x03\x55\x1d\x11\x04\x20\x30\x1e\x82\x0f", 11) + "*.a.example.net" +
                          std::string("\x82\x0b", 2) + "example.com";
  std::vector<std::string> names;
  EXPECT_FALSE(visit_certificate_names(octets(der), [&](std::string_view name) {
    names.emplace_back(name);
    return false;
  }));
  EXPECT_EQ(names, (std::vector<std::string>{"cn.example.org", "a.example.net", "example.com"}));
}

TEST(Tls, HandshakeBytesComeOutOfSeveralRecords) {
  const auto message = client_hello_message("split.example");
  auto stream = testing::tls_record(22, Frame(message.begin(), message.begin() + 50));
  for (const auto byte : testing::tls_record(22, Frame(message.begin() + 50, message.end()))) stream.push_back(byte);
  for (const auto byte : testing::tls_record(20, {1})) stream.push_back(byte);
  std::array<std::uint8_t, 512> out;
  bool ended = false;
  const auto size = take_handshake(stream, out, ended);
  EXPECT_TRUE(ended);
  EXPECT_EQ(Frame(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)), message);
}

// The hello of the example in JA4's own description, with GREASE among all that it offers.
Frame ja4_example(bool shuffled) {
  const auto list16 = [](std::initializer_list<std::uint16_t> values) {
    Frame bytes;
    for (const auto value : values) bytes += testing::be16(value);
    return bytes;
  };
  const auto extension = [](std::uint16_t type, const Frame& body) {
    return testing::be16(type) + testing::be16(static_cast<std::uint16_t>(body.size())) + body;
  };
  const auto sized = [](const Frame& body) { return testing::be16(static_cast<std::uint16_t>(body.size())) + body; };
  const auto name = extension(0, sized(Frame{0} + sized(Frame{'a', '.', 'b'})));
  const auto alpn = extension(16, sized(Frame{2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'}));
  const auto signatures =
      extension(13, sized(list16({0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601})));
  const auto versions = extension(43, Frame{6} + list16({0x7a7a, 0x0304, 0x0303}));
  Frame others = extension(0x2a2a, {});
  for (const std::uint16_t type : {5, 10, 11, 0x12, 0x15, 0x17, 0x1b, 0x23, 0x2d, 0x33, 0x4469, 0xff01})
    others += extension(type, {});
  const auto extensions =
      shuffled ? others + versions + alpn + signatures + name : name + signatures + others + alpn + versions;
  const auto ciphers = list16({0x1a1a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
                               0xc014, 0x009c, 0x009d, 0x002f, 0x0035});
  const auto hello = testing::be16(0x0303) + Frame(32, 1) + Frame{0} + sized(ciphers) + Frame{1, 0} + sized(extensions);
  return Frame{1, 0} + sized(hello);
}

TEST(Fingerprint, TheExampleOfJa4HasItsTextInWhicheverOrderItOffers) {
  for (const bool shuffled : {false, true}) {
    const auto made = read_fingerprint(ja4_example(shuffled), HelloOver::kTcp);
    ASSERT_TRUE(made);
    EXPECT_EQ(made->view(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
  }
}

TEST(Fingerprint, AHelloThatIsNotWholeHasNone) {
  auto hello = ja4_example(false);
  hello.pop_back();
  EXPECT_FALSE(read_fingerprint(hello, HelloOver::kTcp));
}

TEST(Dns, AnAnswerTellsTheAddressesOfTheNameThatWasAskedFor) {
  using namespace std::string_literals;
  const auto message =
      "\x12\x34\x81\x80\x00\x01\x00\x03\x00\x00\x00\x00\x03www\x07"s + "example\x03"s + "org\x00\x00\x01\x00\x01"s +
      "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x04\x01x\xc0\x10"s +                            // an alias
      "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x0a\x00\x00\x09"s +                         // A
      "\xc0\x0c\x00\x1c\x00\x01\x00\x00\x00\x3c\x00\x10\x20\x01\x0d\xb8"s + std::string(12, '\0');  // AAAA
  DnsAddresses out;
  ASSERT_TRUE(read_dns_addresses(octets(message), out));
  EXPECT_EQ(out.question.view(), "www.example.org");
  ASSERT_EQ(out.count, 2u);
  EXPECT_EQ(out.addresses[0], v4(9));
  EXPECT_EQ(out.addresses[1].bytes[0], 0x20);
}

TEST(Announcement, FtpTellsItsDataChannelInFourWays) {
  for (const auto* text :
       {"PORT 10,0,0,9,4,1\r\n", "227 Entering Passive Mode (10,0,0,9,4,1).\r\n", "EPRT |1|10.0.0.9|1025|\r\n"}) {
    const auto channels = read_ftp_announcement(octets(text));
    ASSERT_EQ(channels.count, 1u) << text;
    EXPECT_EQ(channels.all[0].address, v4(9));
    EXPECT_EQ(channels.all[0].port, 1'025);
  }
  const auto extended = read_ftp_announcement(octets("229 Entering Extended Passive Mode (|||1025|)\r\n"));
  ASSERT_EQ(extended.count, 1u);
  EXPECT_FALSE(extended.all[0].has_address);
  EXPECT_EQ(extended.all[0].port, 1'025);
  EXPECT_EQ(read_ftp_announcement(octets("227 (300,0,0,1,1,1)\r\nPORT 1,2\r\n")).count, 0u);
}

TEST(Announcement, SdpTellsWhereMediaGoes) {
  const auto channels = read_media_announcement(
      octets("INVITE sip:a@b SIP/2.0\r\n\r\nv=0\r\nc=IN IP4 10.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP "
             "96\r\nc=IN IP4 10.0.0.2\r\n"));
  ASSERT_EQ(channels.count, 2u);
  EXPECT_EQ(channels.all[0].address, v4(1));
  EXPECT_EQ(channels.all[0].port, 4'000);
  EXPECT_EQ(channels.all[1].address, v4(2));
}

TEST(Recent, WhatIsKnownAgesAndIsReplacedByTheSameVmFirst) {
  Recent<int> recent(4, 10);
  recent.put({v4(1), 0, 1, 0}, 100, 11);
  EXPECT_EQ(*recent.find({v4(1), 0, 1, 0}, 110), 11);
  EXPECT_EQ(recent.find({v4(1), 0, 1, 0}, 111), nullptr);
  EXPECT_EQ(recent.find({v4(1), 0, 2, 0}, 100), nullptr) << "another VM has not learned it";
  for (std::uint8_t i = 0; i < 100; ++i) recent.put({v4(i), 0, 9, 0}, 105, i);
  EXPECT_NE(recent.find({v4(1), 0, 1, 0}, 105), nullptr) << "a flood of VM 9 replaces what is its own";
}

}  // namespace
}  // namespace foreflow::classify
