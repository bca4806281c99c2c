// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/services.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dataplane/classify/service_file.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kLongestName = 255;
constexpr std::size_t kLongestLabel = 63;
constexpr std::size_t kMostLabels = 16;  // of a domain; labels of a host beyond them do not matter
constexpr std::size_t kFirstEdges = 256;

bool is_label(std::string_view label) {
  const auto is_fine = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; };
  return label == "*" ||
         (!label.empty() && label.size() <= kLongestLabel && std::all_of(label.begin(), label.end(), is_fine));
}

// Takes the last label off `rest`.
std::string_view take_label(std::string_view& rest) noexcept {
  const auto dot = rest.rfind('.');
  const auto label = rest.substr(dot == std::string_view::npos ? 0 : dot + 1);
  rest = rest.substr(0, dot == std::string_view::npos ? 0 : dot);
  return label;
}

bool is_domain(std::string_view domain) {
  if (domain.empty() || domain.size() > kLongestName || domain.front() == '.' || domain.front() == '*') return false;
  for (std::size_t labels = 0; !domain.empty(); ++labels)
    if (labels == kMostLabels || !is_label(take_label(domain))) return false;
  return true;
}

std::uint32_t hash_of(std::uint32_t parent, std::string_view label) noexcept {  // FNV-1a
  std::uint32_t hash = 2'166'136'261u ^ (parent * 0x9e3779b1u);
  for (const char c : label) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619u;
  return hash ^ hash >> 15;
}

}  // namespace

Status ServiceTable::add(const std::filesystem::path& file) { return read(TomlDocument::load(file)); }

Status ServiceTable::add(std::string_view text, std::string_view name) { return read(TomlDocument::parse(text, name)); }

Status ServiceTable::read(Result<TomlDocument> document) {
  return read_service_file(std::move(document), [this](const std::string& domain, Service service) -> std::string {
    if (!is_domain(domain))
      return fmt::format("'{}' is no domain; expected lower-case labels such as 'example.org'", domain);
    return add_domain(domain, service) ? "" : fmt::format("'{}' already belongs to a service", domain);
  });
}

bool ServiceTable::add_domain(std::string_view domain, Service service) {
  NodeId node = 0;
  while (!domain.empty()) node = add_edge(node, take_label(domain));
  if (nodes_[node].app != 0) return false;
  nodes_[node] = service;
  ++domains_;
  return true;
}

ServiceTable::NodeId ServiceTable::add_edge(NodeId parent, std::string_view label) {
  if (const auto known = child(parent, label); known != 0) return known;
  if (2 * (nodes_.size() + 1) > edges_.size()) grow();
  const auto node = static_cast<NodeId>(nodes_.size());
  nodes_.emplace_back();
  edges_[place_of(parent, label)] = {parent, node, static_cast<std::uint32_t>(labels_.size()),
                                     static_cast<std::uint8_t>(label.size())};
  labels_ += label;
  return node;
}

// Where the edge is, or would be.
std::size_t ServiceTable::place_of(NodeId parent, std::string_view label) const noexcept {
  const auto mask = edges_.size() - 1;
  auto place = hash_of(parent, label) & mask;
  for (; edges_[place].node != 0; place = (place + 1) & mask) {
    const auto& edge = edges_[place];
    if (edge.parent == parent && std::string_view(labels_).substr(edge.label_at, edge.label_size) == label) break;
  }
  return place;
}

ServiceTable::NodeId ServiceTable::child(NodeId parent, std::string_view label) const noexcept {
  return edges_.empty() ? 0 : edges_[place_of(parent, label)].node;
}

void ServiceTable::grow() {
  const auto old = std::exchange(edges_, std::vector<Edge>(std::max(kFirstEdges, 2 * edges_.size())));
  for (const auto& edge : old)
    if (edge.node != 0)
      edges_[place_of(edge.parent, std::string_view(labels_).substr(edge.label_at, edge.label_size))] = edge;
}

Service ServiceTable::find(std::string_view host) const noexcept {
  std::array<char, kLongestName> buffer;
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.size() > buffer.size()) return {};
  std::transform(host.begin(), host.end(), buffer.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
  std::string_view rest(buffer.data(), host.size());
  // Where a plain label and `*` both lead on, both are followed; a plain label wins at the same depth.
  std::array<NodeId, 4> front{};
  std::size_t width = 1;
  Service best;
  for (std::size_t depth = 0; depth < kMostLabels && width > 0 && !rest.empty(); ++depth) {
    const auto label = take_label(rest);
    std::array<NodeId, 4> next{};
    std::size_t next_width = 0;
    for (std::size_t i = 0; i < width; ++i)
      for (const auto node : {child(front[i], label), child(front[i], "*")})
        if (node != 0 && next_width < next.size()) next[next_width++] = node;
    for (std::size_t i = next_width; i-- > 0;)
      if (nodes_[next[i]].app != 0) best = nodes_[next[i]];
    front = next;
    width = next_width;
  }
  return best;
}

}  // namespace foreflow::classify
