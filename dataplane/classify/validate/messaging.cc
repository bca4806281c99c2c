// SPDX-License-Identifier: Apache-2.0
// Middleware: DCE/RPC (C706, MS-RPCE), Kafka, CORBA's GIOP, Thrift, SMPP, KCP, Gearman, ZooKeeper, WebSocket frames.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

// Integer order (0 = big, 1 = little endian), characters, floats, and two zeros.
bool is_data_representation(Octets drep) noexcept {
  return (drep.u8(0) == 0x10 || drep.u8(0) == 0x00) && drep.u8(1) <= 3;
}
std::size_t dcerpc_fragment(Octets fragment) noexcept {
  const bool is_little = fragment.u8(4) == 0x10;
  const std::size_t size = is_little ? fragment.le16(8) : fragment.be16(8);
  const std::size_t authentication = is_little ? fragment.le16(10) : fragment.be16(10);
  if (fragment.u8(0) != 5 || fragment.u8(1) > 1 || fragment.u8(2) > 20 || !is_data_representation(fragment.part(4, 4)))
    return 0;
  return fragment.be16(6) == 0 && size >= 16 && authentication < size ? size : 0;
}
Finding dcerpc(Octets payload) noexcept { return is_stream_of(payload, 16, dcerpc_fragment); }

Finding dcerpc_datagram(Octets payload) noexcept {
  constexpr std::size_t kHeader = 80;
  const auto type = payload.u8(1);
  if (payload.u8(0) != 4 || type > 12 || (payload.u8(3) & ~0x07u) != 0 || !is_data_representation(payload.part(4, 4)) ||
      payload.u8(6) != 0)
    return false;
  if (payload.is_whole() && payload.size() < kHeader) return false;
  const std::size_t body = payload.u8(4) == 0x10 ? payload.le16(74) : payload.be16(74);
  return !payload.has(74, 2) || kHeader + body <= payload.whole_size();
}

// An API key, a version, a correlation id and the client's name.
Finding kafka(Octets payload) noexcept {
  constexpr std::uint16_t kMostKey = 92, kMostVersion = 20;
  const std::size_t size = payload.be32(0);
  const auto name = payload.be16(12);
  const bool is_named = name != 0xffff;
  if (!is_within(size, 10, 100u << 20) || payload.be16(4) > kMostKey || payload.be16(6) > kMostVersion ||
      size + 4 < payload.whole_size())
    return false;
  return is_named ? name <= 256 && name + 10u <= size && is_printable(payload.part(14, name)) : payload.has(12, 2);
}

// The versions of each API, in order of their keys; flexible versions count from one and end each entry with a tag.
bool is_kafka_versions(Octets body) noexcept {
  const bool is_compact = body.u8(2) != 0;
  const std::size_t count = is_compact ? body.u8(2) - 1u : body.be32(2);
  const std::size_t start = is_compact ? 3 : 6, size = is_compact ? 7 : 6;
  if (body.be16(0) != 0 || !is_within(count, 4, 126) || start + count * size > body.whole_size()) return false;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto entry = body.part(start + i * size);
    if (entry.be16(0) != i || entry.be16(2) > entry.be16(4) || entry.be16(4) > 30) return false;
  }
  return true;
}
// Brokers: id, host and port of the first.
bool is_kafka_brokers(Octets body) noexcept {
  const bool is_compact = body.u8(0) != 0;
  const std::size_t count = is_compact ? body.u8(0) - 1u : body.be32(0);
  const auto broker = body.part(is_compact ? 1 : 4);
  const std::size_t host = is_compact ? broker.u8(4) - 1u : broker.be16(4);
  const std::size_t at = is_compact ? 5 : 6;
  return is_within(count, 1, 1'000) && is_within(host, 1, 253) && broker.has(at, host + 4) &&
         is_printable(broker.part(at, host)) && is_within(broker.be32(at + host), 1, 65'535);
}
Finding kafka_answer(Octets payload) noexcept {  // size, correlation id, perhaps an empty tag, perhaps a throttle time
  if (payload.be32(0) + std::size_t{4} != payload.whole_size()) return false;
  const auto body = payload.part(8);
  return is_kafka_versions(body) || is_kafka_brokers(body) || is_kafka_brokers(body.part(4)) ||
         (body.u8(0) == 0 && is_kafka_brokers(body.part(5)));
}

Finding giop(Octets payload) noexcept {
  const bool is_little = (payload.u8(6) & 1) != 0;
  const std::size_t size = is_little ? payload.le32(8) : payload.be32(8);
  return payload.u8(7) <= 7 && (payload.u8(6) & 0xf0) == 0 && size < (64u << 20);
}

bool is_method_name(Octets name) noexcept {
  const auto text = name.text();
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == ':';
  });
}
// Strict binary (0x8001) and compact (0x82) messages, alone or behind a frame size.
Finding thrift(Octets payload) noexcept {
  constexpr std::size_t kLongestName = 128;
  if (payload.be16(0) == 0 && payload.be32(0) + 4u >= payload.whole_size()) payload = payload.part(4);
  if (payload.u8(0) == 0x82) {
    const std::size_t at = 2u + ((payload.u8(2) & 0x80) == 0 ? 1u : (payload.u8(3) & 0x80) == 0 ? 2u : 3u);
    return (payload.u8(1) & 0x1f) == 1 && is_within(payload.u8(1) >> 5, 1, 4) &&
           is_within(payload.u8(at), 2, kLongestName) && payload.has(at + 1, payload.u8(at)) &&
           is_method_name(payload.part(at + 1, payload.u8(at)));
  }
  const std::size_t name = payload.be32(4);
  return payload.be16(0) == 0x8001 && payload.u8(2) == 0 && is_within(payload.u8(3), 1, 4) &&
         is_within(name, 1, kLongestName) && name + 13 <= payload.whole_size() && is_method_name(payload.part(8, name));
}

std::size_t smpp_unit(Octets unit) noexcept {
  const std::size_t size = unit.be32(0);
  const auto command = unit.be32(4) & 0x7fffffff;
  const bool is_command =
      is_within(command, 0x01, 0x15) || command == 0x21 || is_within(command, 0x102, 0x113) || command == 0;
  const bool is_response = (unit.u8(4) & 0x80) != 0;
  return is_within(size, 16, 1u << 16) && is_command && (is_response || (unit.be32(8) == 0 && command != 0)) &&
                 unit.be32(8) <= 0x600 && is_within(unit.be32(12), 1, 0x7fffffff)
             ? size
             : 0;
}
Finding smpp(Octets payload) noexcept { return is_stream_of(payload, 16, smpp_unit); }

Finding kcp(
    Octets payload) noexcept {  // conversation, command, fragments left, window, time, sequence, unacknowledged, size
  const auto conversation = payload.le32(0);
  return conversation != 0 && is_datagram_of(payload, 24, [conversation](Octets segment) -> std::size_t {
           const std::size_t size = segment.le32(20);
           const bool has_data = segment.u8(4) == 81;
           return segment.le32(0) == conversation && is_within(segment.u8(4), 81, 84) && (has_data || size == 0) &&
                          size < 65'536
                      ? size + 24
                      : 0;
         });
}

Finding gearman(Octets payload) noexcept { return is_within(payload.be32(4), 1, 42) && payload.be32(8) < (64u << 20); }

// A connect request or its answer: size, protocol 0, ..., session, a password of 16 bytes.
Finding zookeeper(Octets payload) noexcept {
  const std::size_t size = payload.be32(0);
  if (size + 4 != payload.whole_size() || payload.be32(4) != 0) return false;
  const bool is_request = is_within(size, 44, 45) && payload.be32(16) < 10'000'000 && payload.be32(28) == 16;
  const bool is_answer = is_within(size, 36, 37) && payload.be32(8) < 10'000'000 && payload.be32(20) == 16;
  return is_request || is_answer;
}

std::size_t websocket_frame(Octets frame) noexcept {
  const auto operation = frame.u8(0) & 0x0f;
  const bool is_control = operation >= 8;
  if ((frame.u8(0) & 0x70) != 0 || operation == 0 || (operation > 2 && !is_within(operation, 8, 10))) return 0;
  const std::size_t mask = (frame.u8(1) & 0x80) != 0 ? 4 : 0;
  const auto length = frame.u8(1) & 0x7fu;
  // What is not masked can be read: text, or the code with which a connection closes.
  if (mask == 0 && operation == 1 && length > 0 && length < 126 && frame.u8(2) < 0x20) return 0;
  if (mask == 0 && operation == 2) return 0;
  if (mask == 0 && operation == 8 && length > 0 && !is_within(frame.be16(2), 1'000, 4'999)) return 0;
  if (length < 126) return 2 + mask + length;
  if (is_control) return 0;
  if (length == 126) return frame.be16(2) >= 126 ? 4 + mask + frame.be16(2) : 0;
  return frame.be32(2) == 0 && frame.be32(6) > 0xffff ? 10 + mask + frame.be32(6) : 0;
}
Finding websocket(Octets payload) noexcept { return is_datagram_of(payload, 2, websocket_frame); }

constexpr Named kMessaging[] = {
    {"dcerpc", dcerpc},
    {"dcerpc_datagram", dcerpc_datagram},
    {"gearman", gearman},
    {"giop", giop},
    {"kafka", kafka},
    {"kafka_answer", kafka_answer},
    {"kcp", kcp},
    {"smpp", smpp},
    {"thrift", thrift},
    {"websocket", websocket},
    {"zookeeper", zookeeper},
};

}  // namespace

Family messaging() noexcept { return kMessaging; }

}  // namespace foreflow::classify::validate
