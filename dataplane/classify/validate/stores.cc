// SPDX-License-Identifier: Apache-2.0
// Databases beyond classify/database_protocols.cc: Cassandra's CQL, Oracle's TNS, DRDA (DB2), TDS packets,
// Elasticsearch between nodes, Aerospike, MySQL's answers.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

std::size_t cql_frame(Octets frame) noexcept {  // version, flags, stream, opcode, size
  const auto version = frame.u8(0) & 0x7f;
  const bool is_answer = (frame.u8(0) & 0x80) != 0;
  const std::size_t header = version >= 3 ? 9 : 8;
  const auto opcode = frame.u8(header - 5);
  const std::size_t size = frame.be32(header - 4);
  const bool is_answers = opcode == 0 || opcode == 2 || opcode == 3 || opcode == 6 || opcode == 8 || opcode == 12 ||
                          opcode == 14 || opcode == 16;
  if (!is_within(version, 1, 6) || frame.u8(1) > 0x1f || opcode > 16 || is_answers != is_answer || size > (256u << 20))
    return 0;
  const bool is_start = opcode == 1;
  return !is_start || is_within(size, 20, 512) ? size + header : 0;
}
// A frame that goes on in the next segment fills this one; one that does so in a short segment is another protocol's.
Finding cql(Octets payload) noexcept {
  constexpr std::size_t kShort = 128;
  const auto size = payload.whole_size();
  return is_stream_of(payload, 9, cql_frame) && (size >= kShort || cql_frame(payload) <= size);
}

Finding tns(Octets payload) noexcept {
  const bool is_short = payload.be16(0) != 0;  // since version 315 the size has four bytes
  const std::size_t size = is_short ? payload.be16(0) : payload.be32(0);
  const auto type = payload.u8(4);
  if (size != payload.whole_size() || (is_short && payload.be16(2) != 0) || payload.be16(6) != 0) return false;
  const auto version = payload.be16(8);
  switch (type) {
    case 1:  // connect and accept state a version, 3.xx
    case 2:
      return is_within(version, 300, 330) && size >= 24;
    case 4:  // refuse: reasons, then text
      return payload.be16(10) + 12u == size;
    case 5:  // redirect: text
      return payload.be16(8) > 0 && payload.be16(8) + 10u >= size;
    case 6:  // data: flags
      return size > 10 && (payload.be16(8) & 0xff00) == 0;
    case 11:
      return size == 8;
    case 12:  // marker
      return size == 11;
    default:
      return false;
  }
}

std::size_t drda_object(
    Octets object) noexcept {  // size, 0xd0, format, correlation, size and code point of what is inside
  const std::size_t size = object.be16(0);
  const std::size_t inner = object.be16(6);
  const auto point = object.be16(8);
  const bool is_point = is_within(point >> 8, 0x10, 0x24);
  return object.u8(2) == 0xd0 && (object.u8(3) & 0x8c) == 0 && size >= 10 && inner + 6 == size && is_point ? size : 0;
}
Finding drda(Octets payload) noexcept { return is_stream_of(payload, 10, drda_object); }

std::size_t tds_packet(Octets packet) noexcept {  // type, status, size, process, number, window
  const auto type = packet.u8(0);
  const std::size_t size = packet.be16(2);
  const bool is_type = is_within(type, 1, 4) || type == 6 || type == 7 || is_within(type, 14, 18);
  return is_type && packet.u8(1) <= 0x1f && size > 8 && size <= 32'767 && packet.u8(7) == 0 ? size : 0;
}
Finding tds(Octets payload) noexcept { return is_stream_of(payload, 8, tds_packet); }

Finding elasticsearch(Octets payload) noexcept {  // "ES", size, request, status, version
  const std::size_t size = payload.be32(2);
  return size + 6 >= payload.whole_size() && size < (1u << 30) && payload.u8(15) == 0 && payload.u8(14) <= 0x1f;
}

Finding aerospike(Octets payload) noexcept {  // version 2, type, size of six bytes
  return payload.be16(2) == 0 && payload.be32(4) + 8u == payload.whole_size() && payload.whole_size() > 8;
}

// One packet after the other: sizes, a sequence that counts on.
Finding mysql_answer(Octets payload) noexcept {
  int packets = 0;
  for (auto sequence = payload.u8(3); packets < 8 && payload.size() >= 4; ++packets, ++sequence) {
    const std::size_t size = payload.le24(0);
    if (payload.u8(3) != sequence || size == 0 || size + 4 > payload.whole_size()) return packets > 2;
    payload = payload.part(4 + size);
  }
  return packets > 2;
}

constexpr Named kStores[] = {
    {"aerospike", aerospike},       {"cql", cql}, {"drda", drda}, {"elasticsearch", elasticsearch},
    {"mysql_answer", mysql_answer}, {"tds", tds}, {"tns", tns},
};

}  // namespace

Family stores() noexcept { return kStores; }

}  // namespace foreflow::classify::validate
