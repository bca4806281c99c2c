// SPDX-License-Identifier: Apache-2.0
// Files and blocks: ONC RPC (RFC 5531) with NFS's programs, Lustre's LNet, AFP's DSI, Rx (AFS), TFTP (RFC 1350), MPEG
// transport streams (ISO 13818-1), AJP, FastCGI.
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

bool is_rpc_flavor(std::uint32_t flavor) noexcept {
  return flavor <= 3 || flavor == 6 || is_within(flavor, 390'003, 390'011);
}
bool is_nfs_program(std::uint32_t program) noexcept {
  return is_within(program, 100'000, 100'300) || program == 0x40000000 || is_within(program, 536'870'912, 536'871'000);
}
bool is_rpc_call(Octets message) noexcept {
  return message.be32(4) == 0 && message.be32(8) == 2 && is_nfs_program(message.be32(12)) &&
         is_within(message.be32(16), 0, 5) && message.be32(20) < 64 && is_rpc_flavor(message.be32(24)) &&
         message.be32(28) <= 400;
}
bool is_rpc_reply(Octets message) noexcept {
  if (message.be32(4) != 1 || message.be32(0) == 0) return false;
  if (message.be32(8) == 1) return message.be32(12) <= 1 && message.whole_size() <= 24;  // denied
  const auto verifier = message.be32(16);
  return message.be32(8) == 0 && is_rpc_flavor(message.be32(12)) && verifier <= 400 && verifier % 4 == 0 &&
         (!message.has(20 + verifier, 4) || message.be32(20 + verifier) <= 5) && message.whole_size() >= 24 + verifier;
}
bool is_rpc(Octets message) noexcept {
  return message.whole_size() % 4 == 0 && (is_rpc_call(message) || is_rpc_reply(message));
}
Finding rpc(Octets payload) noexcept { return is_rpc(payload); }
Finding rpc_tcp(Octets payload) noexcept {
  const std::size_t size = payload.be32(0) & 0x7fffffff;
  return is_within(size, 24, 4u << 20) && size % 4 == 0 &&
         (is_rpc_call(payload.part(4)) || is_rpc_reply(payload.part(4, size)));
}

Finding lustre(Octets payload) noexcept {  // type, checksum, two cookies; then LNet: nids, pids, type, size
  return payload.le32(48) <= 4 && payload.le32(52) <= (1u << 20) && payload.le32(24) != 0 && payload.le32(32) != 0;
}

Finding dsi(Octets payload) noexcept {
  return is_stream_of(payload, 16, [](Octets message) -> std::size_t {
    const auto command = message.u8(1);
    const std::size_t size = message.be32(8);
    const bool is_request = message.u8(0) == 0;
    if (message.u8(0) > 1 || !(is_within(command, 1, 6) || command == 8) || message.be32(12) != 0 || size > (1u << 20))
      return 0;
    if (is_request && command != 6 && message.be32(4) != 0) return 0;
    return size > 0 || command == 1 || command == 3 || command == 4 || command == 5 ? size + 16 : 0;
  });
}

Finding
rx(Octets payload) noexcept {  // epoch, connection, call, sequence, serial, type, flags, status, security, ..., service
  const auto type = payload.u8(20);
  const auto service = payload.be16(26);
  return payload.whole_size() >= 28 && is_within(type, 1, 13) && payload.be32(0) != 0 && payload.be32(4) != 0 &&
         payload.be32(8) < (1u << 24) && payload.be32(12) < (1u << 20) && payload.be32(16) < (1u << 24) &&
         payload.u8(23) <= 5 && is_within(service, 1, 2'048) && (payload.u8(21) & 0xc0) == 0;
}

Finding tftp_block(Octets payload) noexcept {
  const auto block = payload.be16(2);
  if (payload.be16(0) == 3) return block == 1 && payload.whole_size() == 516;
  if (payload.be16(0) == 5) return block <= 8 && c_string_size(payload.part(4), 256) + 4 == payload.whole_size();
  return payload.be16(0) == 6 && c_string_size(payload.part(2), 64) > 1;
}
Finding tftp_next(Octets payload) noexcept {
  return (payload.be16(0) == 3 && payload.whole_size() == 516 && payload.be16(2) != 0) ||
         (payload.be16(0) == 4 && payload.whole_size() == 4);
}

Finding mpeg_ts(Octets payload) noexcept {
  constexpr std::size_t kPacket = 188;
  if (payload.whole_size() < kPacket || payload.whole_size() % kPacket != 0) return false;
  for (std::size_t at = 0; payload.has(at, 4); at += kPacket)
    if (payload.u8(at) != 0x47 || (payload.u8(at + 3) & 0x30) == 0) return false;
  return true;
}

Finding ajp(Octets payload) noexcept {
  const std::size_t size = payload.be16(2);
  const auto code = payload.u8(4);
  const bool is_request = payload.be16(0) == 0x1234 && (code == 2 || code == 7 || code == 8 || code == 10);
  const bool is_answer = payload.be16(0) == 0x4142 && is_within(code, 3, 9);
  return (is_request || is_answer) && size >= 1 &&
         (size + 4 >= payload.whole_size() || payload.be16(size + 4) == payload.be16(0));
}

Finding fastcgi(Octets payload) noexcept {
  return is_stream_of(payload, 8, [](Octets record) -> std::size_t {
    const auto type = record.u8(1);
    const std::size_t size = record.be16(4);
    if (record.u8(0) != 1 || !is_within(type, 1, 11) || record.u8(7) != 0) return 0;
    const bool is_begin = type == 1;
    const bool is_end = type == 3;
    if (is_begin && (size != 8 || !is_within(record.be16(8), 1, 3) || record.u8(10) > 1)) return 0;
    return !is_end || size == 8 ? size + record.u8(6) + 8 : 0;
  });
}

constexpr Named kStorage[] = {
    {"ajp", ajp}, {"dsi", dsi},         {"fastcgi", fastcgi}, {"lustre", lustre},         {"mpeg_ts", mpeg_ts},
    {"rpc", rpc}, {"rpc_tcp", rpc_tcp}, {"rx", rx},           {"tftp_block", tftp_block}, {"tftp_next", tftp_next},
};

}  // namespace

Family storage() noexcept { return kStorage; }

}  // namespace foreflow::classify::validate
