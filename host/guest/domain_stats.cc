// SPDX-License-Identifier: Apache-2.0
#include "host/guest/domain_stats.h"

#include <algorithm>
#include <limits>
#include <sstream>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <fmt/format.h>

namespace foreflow::guest {
namespace {

constexpr std::uint64_t kKib = 1'024;
constexpr std::size_t kLargestXml = 4 << 20;

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  return __builtin_add_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  std::uint64_t result = 0;
  return __builtin_mul_overflow(a, b, &result) ? std::numeric_limits<std::uint64_t>::max() : result;
}

std::uint32_t count(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::uint32_t>::max()));
}

bool strip_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// "0.rd.bytes" -> "rd.bytes".
std::string_view behind_number(std::string_view text) {
  const auto dot = text.find('.');
  const bool numbered = dot != std::string_view::npos && dot != 0 &&
                        std::ranges::all_of(text.substr(0, dot), [](char c) { return c >= '0' && c <= '9'; });
  return numbered ? text.substr(dot + 1) : std::string_view();
}

}  // namespace

void DomainStats::put(std::string_view name, std::uint64_t value) {
  if (name == "cpu.time") {
    domain_.cpu_ns = value;
    has_cpu_ = true;
  } else if (name == "vcpu.current") {
    domain_.vcpus = count(value);
  } else if (name == "vcpu.maximum") {
    domain_.vcpus_maximum = count(value);
  } else if (strip_prefix(name, "balloon.")) {
    balloon_.insert_or_assign(std::string(name), name == "last-update" ? value : product(value, kKib));
  } else if (strip_prefix(name, "vcpu.")) {
    put_vcpu(behind_number(name), value);
  } else if (strip_prefix(name, "block.")) {
    put_block(behind_number(name), value);
  }
}

void DomainStats::put_vcpu(std::string_view quantity, std::uint64_t value) {
  if (quantity == "delay") domain_.waited_ns = sum(domain_.waited_ns.value_or(0), value);
}

void DomainStats::put_block(std::string_view quantity, std::uint64_t value) {
  auto& disk = domain_.disk;
  const auto add = [&](std::uint64_t& to) { to = sum(to, value); };
  if (quantity == "rd.bytes") add(disk.read_bytes);
  if (quantity == "rd.reqs") add(disk.read_requests);
  if (quantity == "rd.times") add(disk.read_ns);
  if (quantity == "wr.bytes") add(disk.write_bytes);
  if (quantity == "wr.reqs") add(disk.write_requests);
  if (quantity == "wr.times") add(disk.write_ns);
  if (quantity == "fl.reqs") add(disk.flush_requests);
}

void DomainStats::fill(Domain& domain) const {
  domain.cpu_ns = domain_.cpu_ns;
  domain.waited_ns = domain_.waited_ns;
  domain.vcpus = domain_.vcpus;
  domain.vcpus_maximum = domain_.vcpus_maximum;
  domain.disk = domain_.disk;
  const auto balloon = [&](std::string_view name) -> std::optional<std::uint64_t> {
    const auto found = balloon_.find(name);
    return found == balloon_.end() ? std::nullopt : std::optional(found->second);
  };
  auto& memory = domain.memory;
  memory.current = {balloon("current").value_or(0)};
  memory.maximum = {balloon("maximum").value_or(memory.current.value)};
  if (const auto rss = balloon("rss")) memory.rss = Bytes{*rss};
  const auto usable = balloon("usable");
  memory.told_at = balloon("last-update").value_or(0);
  if (usable && memory.told_at != 0)
    memory.used = Bytes{memory.current.value - std::min(memory.current.value, *usable)};
}

Result<std::vector<MacAddress>> macs_of(const std::string& xml) {
  const auto malformed = [](const std::string& why) {
    return fail(ErrorCode::kMalformed, fmt::format("the XML of a domain does not parse: {}", why));
  };
  if (xml.size() > kLargestXml) return malformed(fmt::format("{} bytes, at most {} are read", xml.size(), kLargestXml));
  boost::property_tree::ptree tree;
  try {
    std::istringstream in(xml);
    boost::property_tree::read_xml(in, tree);
  } catch (const boost::property_tree::xml_parser_error& error) {
    return malformed(error.message());
  }
  std::vector<MacAddress> macs;
  const auto devices = tree.get_child_optional("domain.devices");
  if (!devices) return malformed("it has no domain.devices");
  for (const auto& [tag, device] : *devices)
    if (tag == "interface")
      if (const auto mac = parse_mac(device.get<std::string>("mac.<xmlattr>.address", ""))) macs.push_back(*mac);
  return macs;
}

}  // namespace foreflow::guest
