// SPDX-License-Identifier: Apache-2.0
#include "dataplane/vm/directory.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace foreflow::vm {

std::uint64_t Directory::pack(const MacAddress& mac) noexcept {
  std::uint64_t packed = 0;
  for (const auto octet : mac.octets) packed = packed << 8 | octet;
  return packed;
}

std::size_t Directory::home(const Table& table, std::uint32_t scope, std::uint64_t mac) noexcept {
  // Fibonacci hashing; MACs differ mostly in their low bits.
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  const auto mixed = (mac ^ static_cast<std::uint64_t>(scope) << 40 ^ scope) * kGolden;
  return mixed >> 32 & (table.size() - 1);
}

const Directory::Cell* Directory::probe(const Table& table, std::uint32_t scope, std::uint64_t mac) noexcept {
  auto at = home(table, scope, mac);
  while (table[at].position != 0 && (table[at].mac != mac || table[at].scope != scope))
    at = (at + 1) & (table.size() - 1);
  return &table[at];
}

Result<Directory> Directory::build(std::vector<Attachment> attachments) {
  Directory directory;
  directory.attachments_ = std::move(attachments);
  const auto cells = std::bit_ceil(std::max<std::size_t>(directory.attachments_.size() * 2, 16));
  directory.destinations_.resize(cells);
  directory.sources_.resize(cells);

  const auto insert = [](Table& table, std::uint32_t scope, const MacAddress& mac, std::size_t index) {
    const auto packed = pack(mac);
    auto& cell = const_cast<Cell&>(*probe(table, scope, packed));
    if (cell.position != 0) return false;
    cell = {packed, scope, static_cast<std::uint32_t>(index + 1)};
    return true;
  };
  for (std::size_t i = 0; i < directory.attachments_.size(); ++i) {
    const auto& attachment = directory.attachments_[i];
    if (!insert(directory.destinations_, attachment.segment.value, attachment.mac, i))
      return fail(ErrorCode::kInvalidConfig, fmt::format("MAC {} appears twice in segment {}; a MAC belongs to one VM",
                                                         to_string(attachment.mac), attachment.segment.value));
    if (!insert(directory.sources_, attachment.port_id, attachment.mac, i))
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("MAC {} appears twice on port id {}; an access port needs one segment per MAC",
                              to_string(attachment.mac), attachment.port_id));
  }
  return directory;
}

}  // namespace foreflow::vm
