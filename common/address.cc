// SPDX-License-Identifier: Apache-2.0
#include "common/address.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace foreflow {
namespace {

constexpr std::size_t kLongestSocketPath = 107;  // sockaddr_un without its final zero
constexpr std::string_view kUnix = "unix:";

tl::unexpected<Error> wrong(std::string_view text, std::string_view why) {
  return fail(ErrorCode::kInvalidArgument, fmt::format("'{}' is not host:port or unix:/path: {}", text, why));
}

Result<Address> parse_socket(std::string_view text, std::string_view path) {
  if (!path.starts_with('/')) return wrong(text, "the path of a socket begins with '/'");
  if (path.size() > kLongestSocketPath)
    return wrong(text, fmt::format("the path of a socket has at most {} bytes", kLongestSocketPath));
  return Address{.host = {}, .port = 0, .path = std::string(path)};
}

bool is_host(std::string_view host) {
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           c == '_';
  });
}

bool is_ipv6(std::string_view host) {
  return host.find(':') != std::string_view::npos && std::all_of(host.begin(), host.end(), [](char c) {
           return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == '.' || c == ':';
         });
}

}  // namespace

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with(kUnix)) return parse_socket(text, text.substr(kUnix.size()));
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong(text, "there is no port");
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  const bool bracketed = host.size() > 2 && host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (bracketed ? !is_ipv6(host) : !is_host(host))
    return wrong(text, is_ipv6(host) ? "an IPv6 address is written in brackets" : "the host is no name or address");
  Address address{.host = std::string(host), .port = 0, .path = {}};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc{} || end != digits.data() + digits.size())
    return wrong(text, fmt::format("'{}' is no port; expected 0 to 65535", digits));
  return address;
}

Result<Address> parse_peer_address(std::string_view text) {
  auto address = parse_address(text);
  if (address && address->path.empty() && address->port == 0) return wrong(text, "to connect, a port is 1 to 65535");
  return address;
}

}  // namespace foreflow
