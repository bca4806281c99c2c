// SPDX-License-Identifier: Apache-2.0
// What is remembered of a flow while it is being recognised.
// Place: dataplane/classify, between a flow's first payload and its verdict.
#pragma once
#include <array>
#include <cstdint>

#include "dataplane/classify/assembly.h"
#include "dataplane/classify/behaviour.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/classify/recent.h"
#include "dataplane/net/octets.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

// One of a flow's two ends. Which is which is the caller's choice, as long as it never changes within a flow.
using Side = std::uint8_t;
inline constexpr Side kUnknownSide = 2;
constexpr Side other(Side side) noexcept { return static_cast<Side>(side ^ 1u); }

struct FlowEnds {
  std::array<net::IpAddress, 2> address;
  std::array<std::uint16_t, 2> port{};
  std::uint8_t ip_protocol = 0;
  std::uint16_t vm = 0;        // what is learned of addresses stays within a VM
  Side client = kUnknownSide;  // who opened the connection, where that was seen
};

// Names one flow; both addresses of IPv4 are in it as they are.
inline RecentKey flow_key(const FlowEnds& ends) noexcept {
  RecentKey key{ends.address[1], ends.port[1], ends.vm, ends.ip_protocol, ends.port[0]};
  auto& bytes = key.address.bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= ends.address[0].bytes[bytes.size() - 1 - i];
  return key;
}

struct FlowPacket {
  net::Octets payload;  // not empty
  Side sender = 0;
  std::uint32_t tcp_sequence = 0;  // of the payload's first byte
  std::uint64_t time_ns = 0;
};

// Why a flow whose protocol is known is still looked at.
enum class Follow : std::uint8_t {
  kNothing,
  kClientHello,  // TLS: the server's name
  kCertificate,  // TLS: the names in the server's certificate, when the client gave none
  kQuic,         // the server's name in CRYPTO frames
  kDns,          // answers
  kFtp,          // data channels, and the upgrade to TLS
  kMedia,        // SIP and RTSP: data channels
  kMail,         // the upgrade to TLS
  kStun,         // DTLS between the same two ends
  kUpgrade,      // databases: the server's name, where they go on in TLS
  kHttp,         // what later answers say, where the question was not seen
  kShape,        // no more than what it looks like: there was no buffer for what was to be read
};

struct Conversation {
  void reset() noexcept { *this = {}; }

  Verdict verdict;  // the best so far
  ProtocolId suspected = 0;
  AssemblyId assembly = 0;
  Follow follow = Follow::kNothing;
  Side client = kUnknownSide;
  Side followed_side = kUnknownSide;
  std::uint8_t inspected = 0;  // payloads shown to patterns
  std::uint8_t followed = 0;   // payloads since `follow` began
  std::uint8_t awaited = 0;    // DNS: answers to come
  std::uint32_t bytes = 0;     // of payload on the wire
  PacketShape shape;           // of what was shown to patterns
};
static_assert(sizeof(Conversation) <= 192);

}  // namespace foreflow::classify
