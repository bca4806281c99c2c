// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/announcement.h"

#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include <arpa/inet.h>

namespace foreflow::classify {
namespace {

constexpr std::size_t kMostLines = 128;

std::string_view take_line(std::string_view& text) noexcept {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// A decimal number at the start of `text`, which moves behind it.
std::optional<unsigned> take_number(std::string_view& text) noexcept {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::uint16_t port_of(std::optional<unsigned> number) noexcept {
  return number && *number <= 65'535 ? static_cast<std::uint16_t>(*number) : std::uint16_t{0};
}

bool read_address(std::string_view text, net::IpAddress& out) noexcept {
  char buffer[INET6_ADDRSTRLEN] = "";
  if (text.empty() || text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  out = {};
  out.bytes[10] = out.bytes[11] = 0xff;
  if (inet_pton(AF_INET, buffer, out.bytes.data() + 12) == 1) return true;
  return inet_pton(AF_INET6, buffer, out.bytes.data()) == 1;
}

// h1,h2,h3,h4,p1,p2
Channel read_host_port(std::string_view text) noexcept {
  std::array<unsigned, 6> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0 && !text.starts_with(',')) return {};
    if (i > 0) text.remove_prefix(1);
    const auto number = take_number(text);
    if (!number || *number > 255) return {};
    numbers[i] = *number;
  }
  Channel channel{.has_address = true, .port = static_cast<std::uint16_t>(numbers[4] << 8 | numbers[5])};
  channel.address.bytes[10] = channel.address.bytes[11] = 0xff;
  for (std::size_t i = 0; i < 4; ++i) channel.address.bytes[12 + i] = static_cast<std::uint8_t>(numbers[i]);
  return channel;
}

// |family|address|port|, the address perhaps empty.
Channel read_extended(std::string_view text) noexcept {
  if (text.empty()) return {};
  const char bar = text.front();
  std::array<std::string_view, 3> fields;
  text.remove_prefix(1);
  for (auto& field : fields) {
    const auto end = text.find(bar);
    if (end == std::string_view::npos) return {};
    field = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  Channel channel;
  channel.has_address = read_address(fields[1], channel.address);
  channel.port = port_of(take_number(fields[2]));
  return channel;
}

std::string_view behind(std::string_view text, char mark) noexcept {
  const auto at = text.find(mark);
  return at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
}

// client_port=p-q;server_port=r-s
void read_transport(std::string_view line, Channels& out) noexcept {
  for (const std::string_view key : {"client_port=", "server_port="}) {
    const auto at = line.find(key);
    if (at == std::string_view::npos) continue;
    auto text = line.substr(at + key.size());
    out.add({.port = port_of(take_number(text))});
  }
}

}  // namespace

Channels read_ftp_announcement(net::Octets payload) noexcept {
  Channels out;
  auto rest = payload.text();
  for (std::size_t lines = 0; lines < kMostLines && !rest.empty(); ++lines) {
    const auto line = take_line(rest);
    if (line.starts_with("227 ")) {
      const auto digit = line.find_first_of("0123456789", 4);
      if (digit != std::string_view::npos) out.add(read_host_port(line.substr(digit)));
    } else if (line.starts_with("PORT ") || line.starts_with("port ")) {
      out.add(read_host_port(line.substr(5)));
    } else if (line.starts_with("229 ")) {
      out.add(read_extended(behind(line, '(')));
    } else if (line.starts_with("EPRT ") || line.starts_with("eprt ")) {
      out.add(read_extended(line.substr(5)));
    }
  }
  return out;
}

Channels read_media_announcement(net::Octets payload) noexcept {
  Channels out;
  net::IpAddress session;
  bool has_session = false;
  auto rest = payload.text();
  for (std::size_t lines = 0; lines < kMostLines && !rest.empty(); ++lines) {
    auto line = take_line(rest);
    if (line.starts_with("c=IN IP")) {
      const auto address = line.size() > 9 ? line.substr(9) : std::string_view{};
      net::IpAddress parsed;
      if (!read_address(address.substr(0, address.find('/')), parsed)) continue;
      if (out.count == 0) session = parsed, has_session = true;
      if (out.count != 0) out.all[out.count - 1].address = parsed, out.all[out.count - 1].has_address = true;
    } else if (line.starts_with("m=audio ") || line.starts_with("m=video ")) {
      line.remove_prefix(8);
      out.add({session, has_session, port_of(take_number(line))});
    } else if (line.starts_with("Transport:") || line.starts_with("transport:")) {
      read_transport(line, out);
    }
  }
  return out;
}

}  // namespace foreflow::classify
