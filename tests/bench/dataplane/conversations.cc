// SPDX-License-Identifier: Apache-2.0
// Writes the capture of scripts/bench dataplane --case classify: whole flows of 20 packets with the first payloads of
// real protocols, among the VMs that bench_desired_state names. Of 48 flows 30 are TLS (10 of them with a hello over
// two segments, 2 without a server's name), 6 QUIC, 6 HTTP, 2 SMTP that turns to TLS, 2 SSH and 2 say nothing known.
#include <iostream>
#include <string>

#include "tests/contract/pipeline/capture_file.h"
#include "tests/contract/pipeline/frames.h"
#include "tests/unit/dataplane/payload_samples.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow {
namespace {

using pipeline::FrameSpec;
using testing::Frame;
using testing::operator+;  // NOLINT(misc-unused-using-decls): clang-tidy does not see operators used
using testing::text;

constexpr std::uint8_t kFlows = 48, kVms = 64;
constexpr std::size_t kPackets = 20, kSegment = 1'400;
constexpr std::uint16_t kClientPort = 0x4000;  // the probe draws another one for each pass
constexpr std::uint16_t kHttps = 443, kHttp = 80, kSubmission = 587, kSsh = 22, kOther = 9'999;

// What one end says next; an empty payload is an acknowledgement.
struct Turn {
  bool from_client = true;
  Frame payload;
};
struct Conversation {
  std::uint8_t protocol = 6;
  std::uint16_t server_port = kHttps;
  std::vector<Turn> turns;
};

// A hello as long as those that offer a post-quantum key share.
Frame long_hello(const std::string& server) {
  auto hello = testing::tls_client_hello(server);
  hello.resize(1'850, 0x2a);
  const auto grow = [&hello](std::size_t at, std::size_t size) {
    hello[at] = static_cast<std::uint8_t>(size >> 8);
    hello[at + 1] = static_cast<std::uint8_t>(size);
  };
  grow(3, hello.size() - 5);  // the record
  grow(7, hello.size() - 9);  // the message's low 16 bits
  return hello;
}

Conversation tls(const std::string& server, bool is_long) {
  Conversation out;
  const auto hello = is_long ? long_hello(server) : testing::tls_client_hello(server);
  for (std::size_t at = 0; at < hello.size(); at += kSegment)
    out.turns.push_back(
        {true, Frame(hello.begin() + static_cast<std::ptrdiff_t>(at),
                     hello.begin() + static_cast<std::ptrdiff_t>(std::min(hello.size(), at + kSegment)))});
  Frame server_hello{2, 0, 0, 38, 3, 3};
  server_hello.resize(42);
  out.turns.push_back({false, testing::tls_record(22, server_hello) + testing::tls_record(20, {1}) +
                                  testing::tls_record(23, Frame(1'200, 0x5c))});
  return out;
}

Conversation quic(const std::string& server) {
  const auto hello = testing::tls_client_hello(server);
  const Frame message(hello.begin() + 5, hello.end());
  Conversation out{.protocol = 17};
  out.turns.push_back({true, testing::quic_sample_initial(0, testing::quic_crypto(0, message))});
  return out;
}

Conversation spoken(std::uint16_t port, std::initializer_list<std::pair<bool, std::string>> lines) {
  Conversation out{.server_port = port};
  for (const auto& [from_client, line] : lines) out.turns.push_back({from_client, text(line)});
  return out;
}

Conversation conversation(std::uint8_t flow) {
  static const std::string kServers[] = {"www.netflix.com",  "api.example.net",       "objects.example.org",
                                         "slack.com",        "registry-1.docker.io",  "deb.debian.org",
                                         "www.example.test", "meet.intern.example.eu"};
  const auto& server = kServers[flow % std::size(kServers)];
  if (flow < 10) return tls(server, true);
  if (flow < 28) return tls(server, false);
  if (flow < 30) return tls("", false);
  if (flow < 36) return quic(server);
  if (flow < 42)
    return spoken(kHttp,
                  {{true, "GET /a/path?with=query HTTP/1.1\r\nHost: " + server + "\r\nAccept: */*\r\n\r\n"},
                   {false, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20000\r\n\r\n<html>"}});
  if (flow < 44)
    return spoken(kSubmission, {{false, "220 mail.example ESMTP Postfix\r\n"},
                                {true, "EHLO me.example\r\n"},
                                {false, "250-mail.example\r\n250 STARTTLS\r\n"},
                                {true, "STARTTLS\r\n"},
                                {false, "220 go ahead\r\n"}});
  if (flow < 46) return spoken(kSsh, {{false, "SSH-2.0-OpenSSH_9.2\r\n"}, {true, "SSH-2.0-OpenSSH_9.2\r\n"}});
  Conversation unknown{.server_port = kOther};
  for (int i = 0; i < 12; ++i) unknown.turns.push_back({i % 3 == 0, Frame(200, static_cast<std::uint8_t>(0xd1 + i))});
  return unknown;
}

// The whole flow: TCP's opening, what is said, data with an acknowledgement after every second segment, TCP's end.
std::vector<pipeline::FrameBytes> packets_of(std::uint8_t flow) {
  const auto said = conversation(flow);
  const bool is_tcp = said.protocol == 6;
  const auto server = static_cast<std::uint8_t>((flow + 3) % kVms);
  const auto vm = [](std::uint8_t id) { return MacAddress{{2, 0, 0, 0, 0, id}}; };
  std::uint32_t sequences[2] = {1'000, 5'000};
  std::vector<pipeline::FrameBytes> out;
  const auto add = [&](bool from_client, const Frame& payload, std::uint8_t flags) {
    auto& sequence = sequences[from_client ? 0 : 1];
    FrameSpec spec{.source = vm(flow),
                   .destination = vm(server),
                   .source_host = flow,
                   .destination_host = server,
                   .protocol = said.protocol,
                   .source_port = kClientPort,
                   .destination_port = said.server_port,
                   .tcp_flags = flags,
                   .tcp_sequence = sequence,
                   .payload = {reinterpret_cast<const char*>(payload.data()), payload.size()},
                   .size = 64};
    if (!from_client) {
      std::swap(spec.source, spec.destination);
      std::swap(spec.source_host, spec.destination_host);
      std::swap(spec.source_port, spec.destination_port);
    }
    if (payload.empty()) spec.size = 0;  // padding would be taken for a payload
    sequence += static_cast<std::uint32_t>(payload.size()) + ((flags & pipeline::kSynFlag) != 0 ? 1 : 0);
    out.push_back(make_frame(spec));
  };
  if (is_tcp) add(true, {}, pipeline::kSynFlag), add(false, {}, pipeline::kSynFlag | pipeline::kAckFlag);
  if (is_tcp) add(true, {}, pipeline::kAckFlag);
  for (const auto& turn : said.turns) add(turn.from_client, turn.payload, pipeline::kAckFlag);
  const Frame data = is_tcp ? testing::tls_record(23, Frame(1'300, 0x5c)) : Frame(1'200, 0x41);
  while (out.size() < kPackets - (is_tcp ? 2u : 0u)) {
    const bool acknowledges = out.size() % 3 == 0;
    add(acknowledges, acknowledges && is_tcp ? Frame{} : data, pipeline::kAckFlag);
  }
  if (is_tcp)
    add(true, {}, pipeline::kFinFlag | pipeline::kAckFlag), add(false, {}, pipeline::kFinFlag | pipeline::kAckFlag);
  return out;
}

}  // namespace
}  // namespace foreflow

// Flows take turns, so that a burst is of many flows.
int main(int argc, char** argv) {
  using namespace foreflow;
  if (argc != 2) return std::cerr << "usage: bench_conversations FILE\n", 2;
  pipeline::CaptureFile file(argv[1]);
  std::vector<std::vector<pipeline::FrameBytes>> flows;
  for (std::uint8_t flow = 0; flow < kFlows; ++flow) flows.push_back(packets_of(flow));
  for (std::size_t i = 0; i < kPackets; ++i)
    for (const auto& flow : flows) file.add(i, flow[i]);
  return 0;
}
