// SPDX-License-Identifier: Apache-2.0
// What watches networks: syslog (RFC 5424), NetFlow (RFC 3954), IPFIX (RFC 7011), sFlow, PTP (IEEE 1588), collectd,
// Zabbix, Ubiquiti's discovery, NetBIOS datagrams (RFC 1002).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

bool is_digit(std::uint8_t byte) noexcept { return byte >= '0' && byte <= '9'; }

// <PRI> of at most 191, then text.
Finding syslog(Octets payload) noexcept {
  std::size_t at = 0;
  for (int i = 0; i < 6 && is_digit(payload.u8(at)); ++i) ++at;  // a size and a space before each message over TCP
  at = at > 0 && payload.u8(at) == ' ' ? at + 1 : 0;
  if (payload.u8(at) != '<') return false;
  unsigned priority = 0;
  std::size_t digits = 0;
  for (; digits < 3 && is_digit(payload.u8(at + 1 + digits)); ++digits)
    priority = priority * 10 + (payload.u8(at + 1 + digits) - '0');
  const auto text = payload.part(at + 2 + digits, 24);
  return digits > 0 && priority <= 191 && payload.u8(at + 1 + digits) == '>' && text.size() >= 4 &&
         std::all_of(text.data(), text.data() + text.size(),
                     [](auto c) { return c >= 0x20 || c == '\t' || c == '\n'; });
}

bool is_recent(std::uint32_t seconds) noexcept { return seconds > 946'684'800; }  // 2000-01-01

Finding netflow(Octets payload) noexcept {
  const std::size_t count = payload.be16(2);
  const auto size = payload.whole_size();
  switch (payload.be16(0)) {
    case 1:
      return is_within(count, 1, 24) && size == 16 + 52 * count;
    case 5:
      return is_within(count, 1, 30) && size == 24 + 48 * count;
    case 7:
      return is_within(count, 1, 27) && size == 24 + 52 * count;
    case 9: {  // uptime, seconds, sequence, source; then sets
      const std::size_t set = payload.be16(22);
      const auto id = payload.be16(20);
      return count > 0 && is_recent(payload.be32(8)) && (id <= 1 || id >= 256) && set >= 4 && set + 20 <= size;
    }
    default:
      return false;
  }
}

Finding ipfix(Octets payload) noexcept {
  const std::size_t set = payload.be16(18);
  const auto id = payload.be16(16);
  return payload.be16(0) == 10 && payload.be16(2) == payload.whole_size() && is_recent(payload.be32(4)) &&
         (id == 2 || id == 3 || id >= 256) && set >= 4 && set + 16 <= payload.whole_size();
}

Finding sflow(Octets payload) noexcept {
  const auto version = payload.be32(0);
  const auto address = payload.be32(4);
  if ((version != 2 && version != 4 && version != 5) || !is_within(address, 1, 2)) return false;
  const std::size_t at = (address == 1 ? 12 : 24) + (version == 5 ? 4 : 0) + 8;  // agent, sub-agent, sequence, uptime
  const auto samples = payload.be32(at);
  if (!is_within(samples, 1, 256) || payload.be32(at + 4) == 0) return false;
  return version != 5 || payload.be32(at + 8) + at + 12 <= payload.whole_size();
}

Finding ptp(Octets payload) noexcept {
  constexpr std::size_t kHeader = 34;
  constexpr std::uint8_t kControl[16] = {0, 1, 5, 5, 255, 255, 255, 255, 2, 3, 5, 5, 5, 4, 255, 255};
  const auto type = payload.u8(0) & 0x0f;
  const std::size_t size = payload.be16(2);
  const auto control = payload.u8(32);
  return (payload.u8(1) & 0x0f) == 2 && payload.u8(1) < 0x20 && is_within(size, kHeader + 10, payload.whole_size()) &&
         kControl[type] != 255 && (control == kControl[type] || control == 0) && payload.u8(16) == 0 &&
         payload.be64(20) != 0;
}

// Parts of a type, a size and a value; strings end with a zero.
Finding collectd(Octets payload) noexcept {
  return is_datagram_of(payload, 4, [](Octets part) -> std::size_t {
    const auto type = part.be16(0);
    const std::size_t size = part.be16(2);
    const bool is_text = type == 0 || is_within(type, 2, 5) || type == 0x100;
    const bool is_number = type == 1 || type == 7 || type == 8 || type == 9 || type == 0x101;
    if (is_text) return size > 5 && c_string_size(part.part(4, size - 4), size) == size - 4 ? size : 0;
    if (is_number) return size == 12 ? size : 0;
    return (type == 6 || type == 0x200 || type == 0x210) && size > 6 ? size : 0;
  });
}

Finding zabbix(Octets payload) noexcept {  // "ZBXD", flags, size, and as much reserved
  return (payload.u8(4) & 0xf8) == 0 && payload.u8(4) != 0 && payload.le32(5) + 13u >= payload.whole_size() &&
         payload.le32(5) < (128u << 20);
}

Finding ubiquiti_discovery(Octets payload) noexcept {
  const std::size_t size = payload.be16(2);
  if (size + 4 != payload.whole_size()) return false;
  return size == 0 || is_datagram_of(payload.part(4), 3, [](Octets item) -> std::size_t {
           return item.u8(0) != 0 ? item.be16(1) + 3u : 0;
         });
}

// A direct datagram, or an error: type, flags, id, source address and port, then size and offset.
Finding netbios_datagram(Octets payload) noexcept {
  return (payload.u8(1) & 0xf0) == 0 && payload.be16(12) == 0 && payload.be16(10) + 14u == payload.whole_size() &&
         payload.u8(14) == 32;
}

constexpr Named kMonitoring[] = {
    {"collectd", collectd},
    {"ipfix", ipfix},
    {"netbios_datagram", netbios_datagram},
    {"netflow", netflow},
    {"ptp", ptp},
    {"sflow", sflow},
    {"syslog", syslog},
    {"ubiquiti_discovery", ubiquiti_discovery},
    {"zabbix", zabbix},
};

}  // namespace

Family monitoring() noexcept { return kMonitoring; }

}  // namespace foreflow::classify::validate
