// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/signature.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "common/toml_reader.h"
#include "dataplane/classify/regex.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kLongestName = 32;

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

class FileReader {
 public:
  explicit FileReader(TomlDocument& document) : document_(document) {}

  Result<std::vector<Signature>> read() {
    auto& root = document_.root();
    const auto category = read_category(root);
    root.require("protocol");
    std::vector<Signature> signatures;
    for (auto& table : root.tables("protocol")) {
      auto signature = read_signature(table);
      signature.category = category;
      signature.file = table.where("name");
      signatures.push_back(std::move(signature));
    }
    root.finish();
    if (auto status = document_.check(); !status) return tl::unexpected(status.error());
    return signatures;
  }

 private:
  static Category read_category(TomlTable& root) {
    std::string name;
    root.require("category");
    root.read("category", name);
    const auto category = parse_category(name);
    if (!name.empty() && (!category || *category == Category::kUnknown))
      root.error("category", fmt::format("'{}' is no category; one of {}", name,
                                         fmt::join(kCategoryNames.begin() + 1, kCategoryNames.end(), ", ")));
    return category.value_or(Category::kUnknown);
  }

  Signature read_signature(TomlTable& table) {
    Signature signature;
    table.require("name");
    table.read("name", signature.protocol);
    if (!signature.protocol.empty() && !is_name(signature.protocol))
      table.error("name", fmt::format("'{}' is no name; expected a-z, 0-9 and '_', at most {} characters",
                                      signature.protocol, kLongestName));
    if (!names_.insert(signature.protocol).second)
      table.error("name",
                  fmt::format("'{}' is already defined above; give it more patterns instead", signature.protocol));
    read_ip_protocols(table, signature.ip_protocols);
    const bool has_payload = table.has("pattern") || signature.ip_protocols.empty();
    if (has_payload) table.require("transport");
    const auto transports = read_transports(table);
    read_ports(table, signature.ports);
    if (has_payload) table.require("pattern");
    for (auto& pattern : table.tables("pattern")) signature.patterns.push_back(read_pattern(pattern, transports));
    table.finish();
    return signature;
  }

  static Transports read_transports(TomlTable& table) {
    std::vector<std::string> words;
    table.read("transport", words);
    Transports transports;
    for (const auto& word : words) {
      if (word != "tcp" && word != "udp")
        table.error("transport", fmt::format("'{}' is no transport; expected 'tcp' or 'udp'", word));
      transports.tcp |= word == "tcp";
      transports.udp |= word == "udp";
    }
    return transports;
  }

  static void read_ports(TomlTable& table, std::vector<std::uint16_t>& out) {
    std::vector<std::uint32_t> ports;
    table.read("ports", ports);
    for (const auto port : ports) {
      if (port == 0 || port > 65'535) table.error("ports", fmt::format("{} is no port; expected 1 to 65535", port));
      out.push_back(static_cast<std::uint16_t>(port));
    }
  }

  static void read_ip_protocols(TomlTable& table, std::vector<std::uint8_t>& out) {
    std::vector<std::uint32_t> numbers;
    table.read("ip_protocols", numbers);
    for (const auto number : numbers) {
      if (number > 255) table.error("ip_protocols", fmt::format("{} is no IP protocol; expected 0 to 255", number));
      if (number == net::kTcp || number == net::kUdp)
        table.error("ip_protocols", fmt::format("{} carries many protocols; give 'transport' and patterns", number));
      out.push_back(static_cast<std::uint8_t>(number));
    }
  }

  static Pattern read_pattern(TomlTable& table, Transports transports) {
    Pattern pattern;
    pattern.transports = table.has("transport") ? read_transports(table) : transports;
    if (!table.has("transport")) read_transports(table);  // makes the key known
    table.require("regex");
    table.read("regex", pattern.regex);
    table.read("offset", pattern.offset, 0u, 255u);
    table.read("depth", pattern.depth, 1u, static_cast<std::uint32_t>(kScanBytes));
    if (table.has("offset") && table.has("depth"))
      table.error("depth", "stands beside 'offset'; give 'offset' (starts there) or 'depth' (ends within), not both");
    std::uint32_t confidence = 0;
    table.require("confidence");
    table.read("confidence", confidence, 1u, 100u);
    pattern.confidence = static_cast<std::uint8_t>(confidence);
    table.read("twice", pattern.twice);
    table.read_word("from", pattern.speaker, {{"client", Speaker::kClient}, {"server", Speaker::kServer}});
    pattern.validator = read_validator(table);
    pattern.where = table.where("regex");
    if (table.has("regex"))
      if (const auto reason = objection(pattern)) table.error("regex", *reason);
    table.finish();
    return pattern;
  }

  static Validator read_validator(TomlTable& table) {
    std::string name;
    table.read("validate", name);
    const auto validator = find_validator(name);
    if (!name.empty() && validator == nullptr) {
      const auto names = validator_names();
      const auto near = nearest(name, names);
      table.error("validate", near
                                  ? fmt::format("there is no validator '{}'; did you mean '{}'?", name, *near)
                                  : fmt::format("there is no validator '{}'; one of {}", name, fmt::join(names, ", ")));
    }
    return validator;
  }

  TomlDocument& document_;
  std::set<std::string> names_;
};

}  // namespace

Result<std::vector<Signature>> read_signatures(const std::filesystem::path& file) {
  auto document = TomlDocument::load(file);
  if (!document) return tl::unexpected(document.error());
  return FileReader(*document).read();
}

Result<std::vector<Signature>> parse_signatures(std::string_view text, std::string_view name) {
  auto document = TomlDocument::parse(text, name);
  if (!document) return tl::unexpected(document.error());
  return FileReader(*document).read();
}

}  // namespace foreflow::classify
