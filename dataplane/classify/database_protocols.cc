// SPDX-License-Identifier: Apache-2.0
// Binary database protocols: MySQL, PostgreSQL, MongoDB, memcached, TDS.
#include <algorithm>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

bool is_printable(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c != 0x7f; });
}

// MySQL: 3 bytes of size, a sequence number, the body.
bool is_one_mysql_packet(net::Octets payload) noexcept { return payload.le24(0) + 4 == payload.size(); }

// The capabilities of a greeting begin behind the version, the thread's id (4), the scramble (8) and a zero; a client
// that will go on in TLS sends the first 32 bytes of its login alone (MySQL, "SSLRequest").
bool is_mysql_with_tls(net::Octets payload) noexcept {
  constexpr std::uint32_t kSsl = 0x800;
  constexpr std::size_t kVersionAt = 5, kRequestSize = 36;
  if (payload.u8(3) == 1)
    return payload.size() == kRequestSize && is_one_mysql_packet(payload) && (payload.le32(4) & kSsl) != 0;
  const auto end = payload.part(kVersionAt).text().find('\0');
  return payload.u8(3) == 0 && end != std::string_view::npos && (payload.le16(kVersionAt + end + 14) & kSsl) != 0;
}

// One backend or frontend message of PostgreSQL: what is certain of each type that begins a payload.
bool is_postgres_message(net::Octets message) noexcept {
  const auto body = message.part(5);
  switch (message.u8(0)) {
    case 'Q':  // query: one string
      return body.size() > 1 && body.u8(body.size() - 1) == 0;
    case 'R':  // authentication request: a code
      return body.size() >= 4 && body.be32(0) <= 12;
    case 'Z':  // ready for query: idle, in transaction, failed
      return body.size() == 1 && std::string_view("ITE").find(static_cast<char>(body.u8(0))) != std::string_view::npos;
    case 'K':  // backend key data
      return body.size() == 8;
    case 'S':  // parameter status: two strings; sync from the client: nothing
    case 'C':  // command complete; close
    case 'p':  // password, SASL
    case 'P':  // parse
    case 'B':  // bind
    case 'D':  // data row; describe
    case 'E':  // error; execute
    case 'H':
    case 'N':
    case 'T':
    case 'd':
    case 'c':
    case '1':
    case '2':
    case '3':
    case 't':
    case 'n':
    case 'v':
      return true;
    default:
      return false;
  }
}

// The legacy requests of MongoDB: a zero or flags, then "database.collection".
bool is_legacy_mongodb(net::Octets body) noexcept {
  const auto name = body.part(4, 128).text();
  const auto end = name.find('\0');
  return body.le32(0) <= 0xff && end != std::string_view::npos && end > 0 && is_printable(name.substr(0, end));
}

}  // namespace

Finding validate_mysql_greeting(net::Octets payload) noexcept {
  constexpr std::size_t kVersionAt = 5;
  constexpr std::size_t kLongestVersion = 96;
  if (payload.le24(0) + 4 > payload.size()) return false;
  const auto version = payload.part(kVersionAt, kLongestVersion).text();
  const auto end = version.find('\0');
  // Behind the version: thread id (4), scramble (8), and a zero.
  return end != std::string_view::npos && is_printable(version.substr(0, end)) &&
         payload.has(kVersionAt + end + 1, 13) && payload.u8(kVersionAt + end + 13) == 0;
}

Finding validate_mysql_login(net::Octets payload) noexcept {
  constexpr std::uint32_t kProtocol41 = 0x200;
  return is_one_mysql_packet(payload) && payload.size() >= 36 && (payload.le32(4) & kProtocol41) != 0;
}

Finding validate_mysql_command(net::Octets payload) noexcept {
  return payload.le24(0) + 4 >= payload.size() && is_printable(payload.part(5, 8).text());
}

Finding validate_postgres_startup(net::Octets payload) noexcept {
  return payload.be32(0) == payload.size() && payload.size() > 9 && payload.u8(payload.size() - 1) == 0 &&
         payload.u8(8) >= 'a' && payload.u8(8) <= 'z';
}

Finding validate_postgres_messages(net::Octets payload) noexcept {
  constexpr std::uint32_t kLargest = 1u << 24;
  std::size_t at = 0;
  while (payload.has(at, 5)) {
    const auto size = payload.be32(at + 1);
    if (size < 4 || size > kLargest) return false;
    if (!payload.has(at, 1u + size)) return at > 0;  // the last one goes on in the next segment
    if (!is_postgres_message(payload.part(at, 1u + size))) return false;
    at += 1u + size;
  }
  return at > 0 && at == payload.size();
}

Finding validate_mongodb(net::Octets payload) noexcept {
  constexpr std::uint32_t kLargest = 48'000'000, kReply = 1, kKillCursors = 2007, kCompressed = 2012, kMessage = 2013;
  constexpr std::size_t kHeader = 16;
  const auto size = payload.le32(0);
  if (size < kHeader + 5 || size > kLargest || !payload.has(0, kHeader + 5)) return false;
  const auto body = payload.part(kHeader, size - kHeader);
  switch (payload.le32(12)) {
    case kMessage:  // flags, then sections: 0 = one document, 1 = a sequence
      return (body.le32(0) & 0xfffc) == 0 && body.u8(4) <= 1 && body.le32(5) + kHeader + 5 <= size;
    case kReply:  // flags, cursor, starting from, number returned, documents
      return (body.le32(0) & ~0xfu) == 0 && (body.le32(16) == 0 || body.le32(20) + kHeader + 20 <= size);
    case kCompressed:  // original opcode, uncompressed size, compressor
      return body.le32(0) >= 1 && body.le32(0) <= kMessage && body.le32(4) <= kLargest && body.u8(8) <= 3;
    case kKillCursors:  // zero, how many, their ids
      return body.le32(0) == 0 && size == kHeader + 8 + 8 * std::uint64_t{body.le32(4)};
    default:
      return is_legacy_mongodb(body);
  }
}

Finding validate_memcached_binary(net::Octets payload) noexcept {
  constexpr std::size_t kHeader = 24;
  constexpr std::uint8_t kMostOpcode = 0x48;
  const std::size_t key = payload.be16(2);
  const std::size_t extras = payload.u8(4);
  const std::size_t body = payload.be32(8);
  return payload.has(0, kHeader) && payload.u8(1) <= kMostOpcode && payload.u8(5) == 0 && extras <= 32 && key <= 250 &&
         key + extras <= body && body < (1u << 21) && kHeader + std::min(body, key + extras) <= payload.size();
}

Finding validate_tds_prelogin(net::Octets payload) noexcept {
  constexpr std::size_t kHeader = 8;
  const auto options = payload.part(kHeader);
  if (payload.be16(2) != payload.size()) return false;
  // The first option is VERSION: token 0, six bytes that lie inside of the packet.
  return options.u8(0) == 0 && options.be16(3) == 6 && options.has(options.be16(1), 6);
}

bool announces_tls(net::Octets payload) noexcept {
  constexpr std::uint64_t kPostgresRequest = 0x0000'0008'04d2'162f;  // SSLRequest
  if (payload.whole_size() == 8 && payload.be64(0) == kPostgresRequest) return true;
  constexpr std::uint8_t kTdsPrelogin = 0x12, kTdsAnswer = 0x04;
  if (payload.u8(0) == kTdsPrelogin || payload.u8(0) == kTdsAnswer)
    if (validate_tds_prelogin(payload).confirmed) return true;
  return is_mysql_with_tls(payload);
}

}  // namespace foreflow::classify
