// SPDX-License-Identifier: Apache-2.0
// Which VM a frame comes from or goes to.
// Place: dataplane/vm; part of the configuration snapshot. Immutable after build(), so any thread may read it.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::vm {

// One attachment of a VM as the packet path sees it.
struct Attachment {
  MacAddress mac;
  Segment segment;
  std::uint16_t port_id = 0;  // ethdev
  Slot slot = kNoSlot;
  std::uint16_t owner = 0;       // worker
  std::uint16_t flood_list = 0;  // of its segment, in the snapshot
};

// Two exact-match tables over the same attachments: where a frame goes is asked by (segment, MAC); where it comes from
// by (port, MAC), since the frames of an access port carry no segment.
class Directory {
 public:
  Directory() = default;

  // Refuses two attachments with the same (segment, MAC) or (port, MAC); the message names both.
  static Result<Directory> build(std::vector<Attachment> attachments);

  const Attachment* by_destination(Segment segment, const MacAddress& mac) const noexcept {
    return find(destinations_, segment.value, mac);
  }
  const Attachment* by_source(std::uint16_t port_id, const MacAddress& mac) const noexcept {
    return find(sources_, port_id, mac);
  }

  std::span<const Attachment> attachments() const noexcept { return attachments_; }

 private:
  // Open addressing, linear probing, at most half full; `position` is one past the attachment's index, 0 = empty.
  struct Cell {
    std::uint64_t mac = 0;
    std::uint32_t scope = 0;
    std::uint32_t position = 0;
  };
  using Table = std::vector<Cell>;

  static std::uint64_t pack(const MacAddress& mac) noexcept;
  static std::size_t home(const Table& table, std::uint32_t scope, std::uint64_t mac) noexcept;
  static const Cell* probe(const Table& table, std::uint32_t scope, std::uint64_t mac) noexcept;
  const Attachment* find(const Table& table, std::uint32_t scope, const MacAddress& mac) const noexcept {
    if (table.empty()) return nullptr;
    const auto* cell = probe(table, scope, pack(mac));
    return cell->position == 0 ? nullptr : &attachments_[cell->position - 1];
  }

  std::vector<Attachment> attachments_;
  Table destinations_;
  Table sources_;
};

}  // namespace foreflow::vm
