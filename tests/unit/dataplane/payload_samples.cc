// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/dataplane/payload_samples.h"

#include <iterator>

#include "dataplane/net/octets.h"

namespace foreflow::testing {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

using namespace std::string_view_literals;  // NOLINT

Frame le16(std::uint16_t value) { return {static_cast<std::uint8_t>(value), static_cast<std::uint8_t>(value >> 8)}; }
Frame ones(std::size_t count) { return Frame(count, 0x5a); }
// A body behind its own size of two, or four, bytes; `extra` is added to the size.
Frame sized16(const Frame& body, std::size_t extra = 0) { return be16(body.size() + extra) + body; }
Frame sized32(const Frame& body, std::size_t extra = 0) { return be32(body.size() + extra) + body; }

Frame handshake(std::uint8_t type, const Frame& body) { return Frame{type, 0} + sized16(body); }

Frame mysql_packet(std::uint8_t sequence, const Frame& body) {
  return le16(static_cast<std::uint16_t>(body.size())) + Frame{0, sequence} + body;
}

Frame mongo_message(std::uint32_t opcode, const Frame& body) {
  return le32(static_cast<std::uint32_t>(16 + body.size())) + le32(7) + le32(0) + le32(opcode) + body;
}
Frame bson_hello() {
  const auto element = Frame{0x10} + text("hello\0"sv) + le32(1);
  return le32(static_cast<std::uint32_t>(element.size() + 5)) + element + Frame{0};
}

Frame dns_name(std::string_view first, std::string_view second) {
  return Frame{static_cast<std::uint8_t>(first.size())} + text(first) +
         Frame{static_cast<std::uint8_t>(second.size())} + text(second) + Frame{0};
}
Frame dns_query() {
  return be16(0x1234) + Frame{0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0} + dns_name("example", "org") + be16(28) + be16(1);
}
Frame dns_answer() {
  return be16(0x1234) + Frame{0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0} + dns_name("example", "org") + be16(1) + be16(1) +
         be16(0xc00c) + be16(1) + be16(1) + be32(300) + be16(4) + Frame{192, 0, 2, 1};
}

Frame rtp(std::uint8_t type, const Frame& media) {
  return Frame{0x80, type} + be16(100) + be32(160) + be32(0xdecafbad) + media;
}

Frame ntp(std::uint8_t first, std::uint8_t stratum, std::uint32_t sent) {
  return Frame{first, stratum, 6, 0xe9} + be32(0x100) + be32(0x200) + text("GPS\0"sv) + be32(0xea000000) + zeros(4) +
         zeros(8) + zeros(8) + be32(sent) + be32(1);
}

Frame smb_session(const Frame& message) { return Frame{0, 0} + sized16(message); }
Frame tpkt(const Frame& rest) { return Frame{3, 0} + sized16(rest, 4); }

Frame memcached_binary(std::uint8_t magic, std::uint8_t opcode, std::string_view key) {
  return Frame{magic, opcode} + be16(key.size()) + Frame{0, 0, 0, 0} + be32(key.size()) + be32(0) + zeros(8) +
         text(key);
}

Frame quic_initial() {
  const auto connection_ids = Frame{8} + ones(8) + Frame{0};
  return Frame{0xc3, 0, 0, 0, 1} + connection_ids + Frame{0} + be16(0x4000 | 1170) + ones(1170);
}

Frame stun(std::uint16_t type, const Frame& attributes) {
  return be16(type) + be16(attributes.size()) + be32(0x2112a442) + ones(12) + attributes;
}

std::vector<PayloadSample> web() {
  constexpr auto kWeb = Category::kWeb;
  constexpr auto kVideo = Category::kVideo;
  return {
      {"http", kWeb, kTcp, "request", text("GET /index.html HTTP/1.1\r\nHost: shop.example\r\nAccept: */*\r\n\r\n")},
      {"http", kWeb, kTcp, "response",
       text("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nhi\n")},
      {"http", kWeb, kTcp, "proxy request", text("CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")},
      {"http", kVideo, kTcp, "HLS playlist asked for",
       text("GET /live/index.m3u8?x=1 HTTP/1.1\r\nHost: tv.example\r\n\r\n")},
      {"http", kVideo, kTcp, "HLS segment asked for", text("GET /live/seg42.ts HTTP/1.1\r\nHost: tv.example\r\n\r\n")},
      {"http", kVideo, kTcp, "HLS playlist served",
       text("HTTP/1.1 200 OK\r\nServer: x\r\nContent-Type: application/vnd.apple.mpegurl\r\n\r\n#EXTM3U\n")},
      {"http2", kWeb, kTcp, "client preface",
       text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + Frame{0, 0, 0, 4, 0} + be32(0)},
      {"http2", kWeb, kTcp, "server settings", Frame{0, 0, 6, 4, 0} + be32(0) + be16(3) + be32(100)},
      {"tls", kWeb, kTcp, "client hello", tls_client_hello("www.shop.example")},
      {"tls", kWeb, kTcp, "client hello without a name", tls_client_hello("")},
      {"tls", kWeb, kTcp, "server hello",
       tls_record(22, handshake(2, be16(0x0303) + ones(32) + Frame{0} + be16(0x1301) + Frame{0} + be16(0)))},
      {"tls", kWeb, kTcp, "application data", tls_record(23, ones(120))},
      {"quic", kWeb, kUdp, "initial", quic_initial()},
      {"quic", kWeb, kUdp, "version negotiation",
       Frame{0x9a, 0, 0, 0, 0, 8} + ones(8) + Frame{4} + ones(4) + be32(1) + be32(0x6b3343cf)},
  };
}

std::vector<PayloadSample> databases() {
  constexpr auto kDb = Category::kDatabase;
  const auto login = le32(0x00a68d05 | 0x200) + le32(16'777'216) + Frame{45} + zeros(23) + text("root\0\0"sv);
  return {
      {"mysql", kDb, kTcp, "greeting",
       mysql_packet(0, Frame{10} + text("8.0.36\0"sv) + le32(12) + ones(8) + Frame{0} + ones(40))},
      {"mysql", kDb, kTcp, "login", mysql_packet(1, login)},
      {"mysql", kDb, kTcp, "query", mysql_packet(0, Frame{3} + text("SELECT 1 FROM t"))},
      {"postgres", kDb, kTcp, "startup", sized32(be32(196'608) + text("user\0app\0database\0app\0\0"sv), 4)},
      {"postgres", kDb, kTcp, "TLS asked for", be32(8) + be32(80'877'103)},
      {"postgres", kDb, kTcp, "authentication asked for", Frame{'R'} + be32(12) + be32(5) + ones(4)},
      {"postgres", kDb, kTcp, "error", Frame{'E'} + sized32(text("SFATAL\0VFATAL\0C28P01\0Mno\0\0"sv), 4)},
      {"postgres", kDb, kTcp, "query", Frame{'Q'} + sized32(text("SELECT 1;\0"sv), 4)},
      {"postgres", kDb, kTcp, "ready",
       Frame{'C'} + sized32(text("SELECT 1\0"sv), 4) + Frame{'Z'} + be32(5) + Frame{'I'}},
      {"redis", kDb, kTcp, "command", text("*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n")},
      {"redis", kDb, kTcp, "pong", text("+PONG\r\n")},
      {"redis", kDb, kTcp, "bulk reply", text("$5\r\nvalue\r\n")},
      {"redis", kDb, kTcp, "array reply", text("*2\r\n:1\r\n$-1\r\n")},
      {"redis", kDb, kTcp, "integer reply", text(":42\r\n")},
      {"redis", kDb, kTcp, "error reply", text("-WRONGTYPE Operation against a key\r\n")},
      {"mongodb", kDb, kTcp, "message", mongo_message(2013, le32(0) + Frame{0} + bson_hello())},
      {"mongodb", kDb, kTcp, "query",
       mongo_message(2004, le32(0) + text("admin.$cmd\0"sv) + le32(0) + le32(1) + bson_hello())},
      {"mongodb", kDb, kTcp, "reply", mongo_message(1, le32(8) + zeros(8) + le32(0) + le32(1) + bson_hello())},
      {"memcached", kDb, kTcp, "get", text("get session:42\r\n")},
      {"memcached", kDb, kTcp, "set", text("set session:42 0 900 5\r\nhello\r\n")},
      {"memcached", kDb, kTcp, "value", text("VALUE session:42 0 5\r\nhello\r\nEND\r\n")},
      {"memcached", kDb, kTcp, "stored", text("STORED\r\n")},
      {"memcached", kDb, kTcp, "binary request", memcached_binary(0x80, 0x00, "session")},
      {"memcached", kDb, kTcp, "binary response", memcached_binary(0x81, 0x0c, "session")},
      {"memcached", kDb, kUdp, "get", Frame{0, 9, 0, 0, 0, 1, 0, 0} + text("get session:42\r\n")},
      {"mssql", kDb, kTcp, "prelogin",
       Frame{0x12, 1} + be16(26) + Frame{0, 0, 1, 0} + Frame{0, 0, 11, 0, 6} + Frame{1, 0, 17, 0, 1} + Frame{0xff} +
           ones(7)},
  };
}

std::vector<PayloadSample> mail_and_files() {
  constexpr auto kMail = Category::kMail;
  constexpr auto kFiles = Category::kFileTransfer;
  return {
      {"smtp", kMail, kTcp, "greeting", text("220 mx.example.org ESMTP ready\r\n")},
      {"smtp", kMail, kTcp, "hello", text("EHLO client.example.org\r\n")},
      {"smtp", kMail, kTcp, "capabilities", text("250-mx.example.org\r\n250-PIPELINING\r\n250 8BITMIME\r\n")},
      {"smtp", kMail, kTcp, "sender", text("MAIL FROM:<a@example.org>\r\n")},
      {"imap", kMail, kTcp, "greeting", text("* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n")},
      {"imap", kMail, kTcp, "login", text("a001 LOGIN user secret\r\n")},
      {"imap", kMail, kTcp, "tagged reply", text("a001 OK done\r\n")},
      {"pop3", kMail, kTcp, "greeting", text("+OK POP3 server ready <1896.6971@mail.example.org>\r\n")},
      {"pop3", kMail, kTcp, "capabilities asked for", text("CAPA\r\n")},
      {"pop3", kMail, kTcp, "message asked for", text("RETR 1\r\n")},
      {"ftp", kFiles, kTcp, "greeting", text("220 ProFTPD Server ready\r\n")},
      {"ftp", kFiles, kTcp, "password asked for", text("331 Password required for user\r\n")},
      {"ftp", kFiles, kTcp, "active port", text("PORT 192,0,2,1,200,13\r\n")},
      {"ftp", kFiles, kTcp, "passive asked for", text("PASV\r\n")},
      {"ftp", kFiles, kTcp, "passive port", text("227 Entering Passive Mode (192,0,2,1,200,13)\r\n")},
      {"smb", kFiles, kTcp, "version 1 negotiation", smb_session(Frame{0xff} + text("SMB") + Frame{0x72} + zeros(40))},
      {"smb", kFiles, kTcp, "version 2 negotiation",
       smb_session(Frame{0xfe} + text("SMB") + le16(64) + zeros(58) + zeros(36))},
      {"netbios", Category::kNetworkMgmt, kUdp, "name query",
       be16(7) + Frame{1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 0x20} + Frame(32, 'C') + Frame{0} + be16(0x20) + be16(1)},
  };
}

std::vector<PayloadSample> remote_and_media() {
  constexpr auto kRemote = Category::kRemoteAccess;
  constexpr auto kVideo = Category::kVideo;
  constexpr auto kVoip = Category::kVoipConferencing;
  const auto report = Frame{0x81, 201} + be16(7) + ones(28);
  return {
      {"ssh", kRemote, kTcp, "version", text("SSH-2.0-OpenSSH_9.2\r\n")},
      {"rdp", kRemote, kTcp, "connection request with cookie",
       tpkt(Frame{36, 0xe0, 0, 0, 0, 0, 0} + text("Cookie: mstshash=operator\r\n") + Frame{0, 0, 0})},
      {"rdp", kRemote, kTcp, "connection request",
       tpkt(Frame{14, 0xe0, 0, 0, 0, 0, 0} + Frame{1, 0, 8, 0, 3, 0, 0, 0})},
      {"rdp", kRemote, kTcp, "connection confirm",
       tpkt(Frame{14, 0xd0, 0, 0, 0x12, 0x34, 0} + Frame{2, 0x1f, 8, 0, 2, 0, 0, 0})},
      {"vnc", kRemote, kTcp, "version", text("RFB 003.008\n")},
      {"rtsp", kVideo, kTcp, "describe", text("DESCRIBE rtsp://cam.example/1 RTSP/1.0\r\nCSeq: 2\r\n\r\n")},
      {"rtsp", kVideo, kTcp, "options of the server", text("OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n")},
      {"rtsp", kVideo, kTcp, "response", text("RTSP/1.0 200 OK\r\nCSeq: 2\r\n\r\n")},
      {"rtsp", kVideo, kTcp, "interleaved media", Frame{'$', 0} + sized16(rtp(96, ones(200)))},
      {"sip", kVoip, kUdp, "invite", text("INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n")},
      {"sip", kVoip, kUdp, "response", text("SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n\r\n")},
      {"sip", kVoip, kTcp, "register", text("REGISTER sip:example.org SIP/2.0\r\nCSeq: 1 REGISTER\r\n\r\n")},
      {"rtp", kVoip, kUdp, "PCMU", rtp(0, ones(160))},
      {"rtcp", kVoip, kUdp, "receiver report", report},
      {"stun", kVoip, kUdp, "binding request", stun(0x0001, {})},
      {"stun", kVoip, kUdp, "binding response", stun(0x0101, Frame{0, 0x20, 0, 8} + ones(8))},
  };
}

std::vector<PayloadSample> messaging_and_chat() {
  constexpr auto kQueue = Category::kMessagingQueue;
  constexpr auto kChat = Category::kChat;
  const auto connect = text("\0\4MQTT\4\2\0\x3c\0\4dev1"sv);
  const auto start = Frame{0, 10, 0, 10, 0, 9} + be32(0) + sized32(text("PLAIN")) + sized32(text("en_US"));
  return {
      {"mqtt", kQueue, kTcp, "connect", Frame{0x10, static_cast<std::uint8_t>(connect.size())} + connect},
      {"mqtt", kQueue, kTcp, "connection accepted", Frame{0x20, 2, 0, 0}},
      {"mqtt", kQueue, kTcp, "publish", Frame{0x30, 16} + sized16(text("plant/temp")) + text("21.5")},
      {"mqtt", kQueue, kTcp, "subscribe", Frame{0x82, 15} + be16(1) + sized16(text("plant/temp")) + Frame{1}},
      {"amqp", kQueue, kTcp, "protocol header", text("AMQP\0\0\x09\x01"sv)},
      {"amqp", kQueue, kTcp, "connection start", Frame{1, 0, 0} + sized32(start) + Frame{0xce}},
      {"amqp", kQueue, kTcp, "protocol header of 1.0", text("AMQP\3\1\0\0"sv)},
      {"nats", kQueue, kTcp, "server information", text("INFO {\"server_id\":\"x\",\"version\":\"2.9\"}\r\n")},
      {"nats", kQueue, kTcp, "client connects", text("CONNECT {\"verbose\":false}\r\nPING\r\n")},
      {"xmpp", kChat, kTcp, "stream", text("<?xml version='1.0'?><stream:stream to='example.org'>")},
      {"irc", kChat, kTcp, "registration", text("NICK alice\r\nUSER alice 0 * :Alice\r\n")},
      {"irc", kChat, kTcp, "welcome", text(":irc.example.org 001 alice :Welcome\r\n")},
  };
}

std::vector<PayloadSample> infrastructure() {
  constexpr auto kDns = Category::kDns;
  constexpr auto kMgmt = Category::kNetworkMgmt;
  const auto dht = text("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe");
  return {
      {"dns", kDns, kUdp, "query", dns_query()},
      {"dns", kDns, kUdp, "answer", dns_answer()},
      {"dns", kDns, kTcp, "query", sized16(dns_query())},
      {"dns", kDns, kTcp, "answer", sized16(dns_answer())},
      {"ntp", kMgmt, kUdp, "client", Frame{0x23} + zeros(39) + be32(0xea123456) + be32(7)},
      {"ntp", kMgmt, kUdp, "server", ntp(0x24, 2, 0xea123456)},
      {"dhcp", kMgmt, kUdp, "discover", Frame{1, 1, 6, 0} + zeros(232) + be32(0x63825363) + Frame{53, 1, 1, 255}},
      {"ssdp", kMgmt, kUdp, "search", text("M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n")},
      {"bittorrent", Category::kP2p, kTcp, "handshake", Frame{19} + text("BitTorrent protocol") + zeros(8) + ones(40)},
      {"bittorrent", Category::kP2p, kUdp, "hash table query", dht},
      {"bittorrent", Category::kP2p, kUdp, "tracker", be32(0x417) + be32(0x27101980) + be32(0) + be32(0x1234)},
  };
}

}  // namespace

Frame tls_record(std::uint8_t type, const Frame& content) { return Frame{type, 3, 3} + sized16(content); }

Frame tls_client_hello(std::string_view server_name) {
  Frame extensions = be16(43) + be16(3) + Frame{2, 3, 4};
  if (!server_name.empty()) {
    const auto names = sized16(Frame{0} + sized16(text(server_name)));
    extensions += be16(0) + sized16(names);
  }
  return tls_record(22, handshake(1, be16(0x0303) + ones(32) + Frame{32} + ones(32) +
                                         sized16(be16(0x1301) + be16(0x1302)) + Frame{1, 0} + sized16(extensions)));
}

Frame with_encrypted_hello(Frame hello) {
  constexpr std::size_t kRecordSizeAt = 3, kMessageSizeAt = 6;
  constexpr std::uint8_t kExtension[] = {0xfe, 0x0d, 0, 1, 1};
  constexpr std::size_t kVersionAt = 9;
  std::size_t at = kVersionAt + 2 + 32;
  at += 1u + hello[at];                          // session
  at += 2u + net::load_be16(hello.data() + at);  // ciphers
  at += 1u + hello[at];                          // compression
  const auto grow = [&hello](std::size_t low, std::size_t by) {
    const auto size = net::load_be16(hello.data() + low - 1) + by;
    hello[low - 1] = static_cast<std::uint8_t>(size >> 8), hello[low] = static_cast<std::uint8_t>(size);
  };
  for (const auto low : {kRecordSizeAt + 1, kMessageSizeAt + 2, at + 1}) grow(low, sizeof kExtension);
  hello.insert(hello.end(), std::begin(kExtension), std::end(kExtension));
  return hello;
}

const std::vector<PayloadSample>& payload_samples() {
  static const auto samples = [] {
    std::vector<PayloadSample> all;
    for (auto part : {web(), databases(), mail_and_files(), remote_and_media(), messaging_and_chat(), infrastructure()})
      std::move(part.begin(), part.end(), std::back_inserter(all));
    return all;
  }();
  return samples;
}

}  // namespace foreflow::testing
