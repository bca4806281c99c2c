// SPDX-License-Identifier: Apache-2.0
// Which VM a frame comes from or goes to.
// Place: dataplane/vm; part of the configuration snapshot. Immutable after build(), so any thread may read it.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "common/ids.h"
#include "common/result.h"
#include "dataplane/vm/vm_state.h"

namespace foreflow::vm {

// A MAC as one word: what look-ups by it hash and compare.
struct PackedMac {
  std::uint64_t value = 0;
};
inline PackedMac mac_at(const std::uint8_t* octets) noexcept {
  // Two loads: eight octets that were written as six would have to wait for the stores.
  std::uint32_t first = 0;
  std::uint16_t last = 0;
  std::memcpy(&first, octets, sizeof first);
  std::memcpy(&last, octets + sizeof first, sizeof last);
  return {first | std::uint64_t{last} << 32};
}
inline PackedMac packed(const MacAddress& mac) noexcept { return mac_at(mac.octets.data()); }

// One attachment of a VM as the packet path sees it: all that most packets ask about it, in half a cache line.
struct alignas(32) Attachment {
  MacAddress mac;
  Segment segment;
  std::uint16_t port_id = 0;  // ethdev
  Slot slot = kNoSlot;
  std::uint16_t owner = 0;                     // worker
  std::uint16_t flood_list = 0;                // of its segment, in the snapshot
  std::array<bool, kDirections> is_policed{};  // something limits the VM: a meter of the pipeline or its tenant's cap
  std::array<bool, kDirections> is_treated{};  // the operator has rules for parts of its traffic
};

// Two exact-match tables over the same attachments: where a frame goes is asked by (segment, MAC); where it comes from
// by (port, MAC), since the frames of an access port carry no segment.
class Directory {
 public:
  Directory() = default;

  // Refuses two attachments with the same (segment, MAC) or (port, MAC); the message names both.
  static Result<Directory> build(const std::vector<Attachment>& attachments);

  const Attachment* by_destination(Segment segment, const MacAddress& mac) const noexcept {
    return by_destination(segment, packed(mac));
  }
  const Attachment* by_destination(Segment segment, PackedMac mac) const noexcept {
    return destinations_.find(segment.value, mac);
  }
  const Attachment* by_source(std::uint16_t port_id, const MacAddress& mac) const noexcept {
    return by_source(port_id, packed(mac));
  }
  const Attachment* by_source(std::uint16_t port_id, PackedMac mac) const noexcept {
    return sources_.find(port_id, mac);
  }
  // Where the two answers for a frame will be read.
  void prefetch(std::uint16_t port_id, Segment segment, PackedMac source, PackedMac destination) const noexcept {
    sources_.prefetch(port_id, source);
    destinations_.prefetch(segment.value, destination);
  }
  std::size_t size() const noexcept { return size_; }

 private:
  // Open addressing, linear probing, at most half full; a cell without a slot is empty.
  template <typename Scope>
  class Table {
   public:
    explicit Table(std::size_t cells = 1) : cells_(cells), mask_(cells - 1) {}
    // False: the key is there already.
    bool insert(const Attachment& attachment) noexcept {
      const auto at = probe(Scope()(attachment), packed(attachment.mac));
      if (cells_[at].slot != kNoSlot) return false;
      cells_[at] = attachment;
      return true;
    }
    const Attachment* find(std::uint32_t scope, PackedMac mac) const noexcept {
      const auto& cell = cells_[probe(scope, mac)];
      return cell.slot == kNoSlot ? nullptr : &cell;
    }
    void prefetch(std::uint32_t scope, PackedMac mac) const noexcept { __builtin_prefetch(&cells_[home(scope, mac)]); }

   private:
    // Fibonacci hashing: the product's upper half depends on every octet.
    std::size_t home(std::uint32_t scope, PackedMac mac) const noexcept {
      return ((mac.value ^ std::uint64_t{scope} << 37) * 0x9e3779b97f4a7c15) >> 40 & mask_;
    }
    std::size_t probe(std::uint32_t scope, PackedMac mac) const noexcept {
      auto at = home(scope, mac);
      while (cells_[at].slot != kNoSlot && (packed(cells_[at].mac).value != mac.value || Scope()(cells_[at]) != scope))
        at = (at + 1) & mask_;
      return at;
    }
    std::vector<Attachment> cells_;
    std::size_t mask_;
  };
  struct SegmentOf {
    std::uint32_t operator()(const Attachment& attachment) const noexcept { return attachment.segment.value; }
  };
  struct PortOf {
    std::uint32_t operator()(const Attachment& attachment) const noexcept { return attachment.port_id; }
  };

  Table<SegmentOf> destinations_;
  Table<PortOf> sources_;
  std::size_t size_ = 0;
};

}  // namespace foreflow::vm
