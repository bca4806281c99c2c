// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/networks.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "dataplane/classify/service_file.h"

namespace foreflow::classify {
namespace {

constexpr unsigned kAddressBits = 128, kMappedBits = 96;  // an IPv4 address is the last 32

// IPv4 mapped into IPv6; nothing when it is neither.
std::optional<net::IpAddress> read_address(const std::string& text) {
  net::IpAddress address;
  if (inet_pton(AF_INET6, text.c_str(), address.bytes.data()) == 1) return address;
  address.bytes = {};
  address.bytes[10] = address.bytes[11] = 0xff;
  if (inet_pton(AF_INET, text.c_str(), address.bytes.data() + 12) == 1) return address;
  return std::nullopt;
}

}  // namespace

Status NetworkTable::add(const std::filesystem::path& file) { return read(TomlDocument::load(file)); }

Status NetworkTable::add(std::string_view text, std::string_view name) { return read(TomlDocument::parse(text, name)); }

Status NetworkTable::read(Result<TomlDocument> document) {
  return read_service_file(std::move(document), [this](const std::string& text, Service service) -> std::string {
    auto network = parse(text);
    if (!network)
      return fmt::format(
          "'{}' is no network; expected an address and how many of its bits count, such as "
          "'192.0.2.0/24', the rest being 0",
          text);
    network->service = service;
    return insert(*network) ? "" : fmt::format("'{}', or a part of it, already belongs to a service", text);
  });
}

std::optional<NetworkTable::Network> NetworkTable::parse(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = read_address(std::string(text.substr(0, slash)));
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool is_ipv4 = text.find(':') == std::string_view::npos;
  if (!address || error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  if (bits == 0 || bits > (is_ipv4 ? kAddressBits - kMappedBits : kAddressBits)) return std::nullopt;
  if (is_ipv4) bits += kMappedBits;
  Network network{*address, *address, {}};
  for (unsigned bit = bits; bit < kAddressBits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80u >> bit % 8);
    if ((address->bytes[bit / 8] & mask) != 0) return std::nullopt;
    network.last.bytes[bit / 8] |= mask;
  }
  return network;
}

bool NetworkTable::insert(const Network& network) {
  const auto next = std::upper_bound(networks_.begin(), networks_.end(), network.first,
                                     [](const net::IpAddress& first, const Network& one) { return first < one.first; });
  if (next != networks_.end() && next->first <= network.last) return false;
  if (next != networks_.begin() && std::prev(next)->last >= network.first) return false;
  networks_.insert(next, network);
  return true;
}

Service NetworkTable::find(const net::IpAddress& address) const noexcept {
  const auto next = std::upper_bound(networks_.begin(), networks_.end(), address,
                                     [](const net::IpAddress& first, const Network& one) { return first < one.first; });
  if (next == networks_.begin() || std::prev(next)->last < address) return {};
  return std::prev(next)->service;
}

}  // namespace foreflow::classify
