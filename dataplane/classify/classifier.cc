// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/classifier.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <system_error>

#include <fmt/format.h>

#include "dataplane/classify/database.h"
#include "dataplane/classify/database_cache.h"
#include "dataplane/classify/names.h"

namespace foreflow::classify {
namespace {

// Names of files that hold services rather than signatures begin so.
constexpr std::string_view kServices = "services", kNetworks = "networks";
bool holds(const std::filesystem::path& file, std::string_view what) { return file.stem().string().starts_with(what); }

Result<std::vector<std::filesystem::path>> list_files(const std::filesystem::path& directory) {
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == ".toml") files.push_back(it->path());
  if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", directory.string(), error.message()));
  std::sort(files.begin(), files.end());  // ids and errors do not depend on the file system's order
  return files;
}

Result<std::vector<Signature>> read_all(const std::vector<std::filesystem::path>& files) {
  std::vector<Signature> all;
  std::map<std::string, const Signature*> defined;
  for (const auto& file : files) {
    if (holds(file, kServices) || holds(file, kNetworks)) continue;
    auto signatures = read_signatures(file);
    if (!signatures) return signatures;
    for (auto& signature : *signatures) all.push_back(std::move(signature));
  }
  for (const auto& signature : all) {
    const auto* known = defined.emplace(signature.protocol, &signature).first->second;
    if (known->category != signature.category)
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("{}: protocol '{}' is {} here and {} in {}; give it more patterns in a file of that "
                              "category, or another name",
                              signature.file, signature.protocol, to_string(signature.category),
                              to_string(known->category), known->file));
  }
  return all;
}

Result<std::vector<Rule>> make_rules(const std::vector<Signature>& signatures) {
  std::vector<Rule> rules;
  for (const auto& signature : signatures) {
    const auto id = protocol_names().id_of(signature.protocol);
    if (!id)
      return fail(ErrorCode::kExhausted,
                  fmt::format("{}: protocol '{}': a process can know {}, over all reloads; restart "
                              "it, or define fewer",
                              signature.file, signature.protocol, kMostProtocols - 1));
    for (const auto& pattern : signature.patterns) {
      if (rules.size() == kMostPatterns)
        return fail(ErrorCode::kExhausted,
                    fmt::format("{}: pattern '{}' is one more than the {} that all files may have "
                                "together",
                                pattern.where, pattern.regex, kMostPatterns));
      rules.push_back({pattern.validator, *id, signature.category, pattern.confidence, pattern.twice, pattern.speaker,
                       signature.ports});
    }
  }
  return rules;
}

bool is_start(const Pattern& pattern) {
  return pattern.confidence >= kEndsSearch && !pattern.twice && is_bounded_start(pattern);
}

void note_hinted(const std::vector<Signature>& signatures, bool Transports::*transport, std::bitset<65'536>& hinted) {
  for (const auto& signature : signatures)
    for (const auto& pattern : signature.patterns)
      if (pattern.transports.*transport && !is_start(pattern))
        for (const auto port : signature.ports) hinted.set(port);
}

// Of the patterns for one transport those that are starts, or the others.
Result<RegexDatabase> compile_for(const std::vector<Signature>& signatures, bool Transports::*transport, bool starts,
                                  DatabaseCache& cache) {
  std::vector<NumberedPattern> patterns;
  std::uint16_t id = 0;  // counts as make_rules does
  for (const auto& signature : signatures)
    for (const auto& pattern : signature.patterns) {
      if (pattern.transports.*transport && is_start(pattern) == starts) patterns.push_back({&pattern, id});
      ++id;
    }
  return cache.get(patterns);
}

PortHints make_port_hints(const std::vector<Signature>& signatures) {
  PortHints hints;
  for (const auto& signature : signatures) {
    Transports transports;
    for (const auto& pattern : signature.patterns) {
      transports.tcp |= pattern.transports.tcp;
      transports.udp |= pattern.transports.udp;
    }
    const PortHints::Named named{*protocol_names().id_of(signature.protocol), signature.category};
    for (const auto port : signature.ports) {
      if (transports.tcp) hints.add(net::kTcp, port, named);
      if (transports.udp) hints.add(net::kUdp, port, named);
    }
  }
  return hints;
}

std::uint64_t next_version() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

std::string_view to_string(Source source) noexcept {
  constexpr std::array<std::string_view, 7> kNames{"-", "payload", "name", "port", "cached", "behaviour", "network"};
  return kNames[static_cast<std::size_t>(source)];
}

Classifier::Classifier() : database_(std::make_unique<Database>()) {}
Classifier::~Classifier() = default;

Result<std::unique_ptr<const Classifier>> Classifier::load(const std::filesystem::path& directory,
                                                           const std::filesystem::path& cache) {
  auto files = list_files(directory);
  if (!files) return tl::unexpected(files.error());
  auto signatures = read_all(*files);
  if (!signatures) return tl::unexpected(signatures.error());
  if (signatures->empty())
    return fail(ErrorCode::kNotFound,
                fmt::format("{}: no signature files; expected *.toml, one for each category", directory.string()));
  std::unique_ptr<Classifier> classifier(new Classifier);
  auto& database = *classifier->database_;
  database.version = next_version();
  auto rules = make_rules(*signatures);
  if (!rules) return tl::unexpected(rules.error());
  database.rules = std::move(*rules);
  for (const auto& signature : *signatures)
    for (const auto number : signature.ip_protocols)
      database.ip_protocols[number] = {*protocol_names().id_of(signature.protocol), signature.category};
  DatabaseCache compiled_before(cache);
  database.port_hints = make_port_hints(*signatures);
  for (const auto& [transport, slot] :
       {std::pair{&Transports::tcp, &database.tcp}, std::pair{&Transports::udp, &database.udp}}) {
    auto starts = compile_for(*signatures, transport, true, compiled_before);
    if (!starts) return tl::unexpected(starts.error());
    auto rest = compile_for(*signatures, transport, false, compiled_before);
    if (!rest) return tl::unexpected(rest.error());
    slot->starts = std::move(*starts);
    slot->rest = std::move(*rest);
    note_hinted(*signatures, transport, slot->hinted);
  }
  for (const auto& file : *files) {
    Status status;
    if (holds(file, kServices)) status = database.services.add(file);
    if (holds(file, kNetworks)) status = database.networks.add(file);
    if (!status) return tl::unexpected(status.error());
  }
  return classifier;
}

std::string_view Classifier::protocol_name(ProtocolId id) const noexcept { return protocol_names().name_of(id); }
std::string_view Classifier::app_name(AppId id) const noexcept { return app_names().name_of(id); }
std::size_t Classifier::protocol_count() const noexcept { return protocol_names().count(); }

Service Classifier::service_of(std::string_view host) const noexcept { return database_->services.find(host); }

Service Classifier::service_at(const net::IpAddress& address) const noexcept {
  return database_->networks.find(address);
}

Verdict Classifier::by_port(std::uint8_t ip_protocol, std::uint16_t port) const noexcept {
  constexpr std::uint8_t kConfidence = 20;
  const auto [protocol, category] = database_->port_hints.find(ip_protocol, port);
  if (protocol == 0) return {};
  return {.protocol = protocol, .category = category, .confidence = kConfidence, .source = Source::kPort};
}

}  // namespace foreflow::classify
