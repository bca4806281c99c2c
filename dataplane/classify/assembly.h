// SPDX-License-Identifier: Apache-2.0
// Puts the start of a byte stream together from pieces that come in any order, and the pool that such buffers come
// from. Place: dataplane/classify; for TLS hellos over several segments and QUIC's CRYPTO frames. One worker owns a
// pool.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "dataplane/classify/quic.h"
#include "dataplane/net/octets.h"

namespace foreflow::classify {

// Bytes of a stream from its offset 0 on. What lies behind the buffer is dropped: names come early in a hello.
class Assembly {
 public:
  static constexpr std::size_t kCapacity = 1'952;
  static constexpr std::size_t kMostRanges = 6;  // with holes between them

  void reset() noexcept { ranges_ = 0; }
  // Bytes that are there already stay. A piece that would open one more hole than can be noted is dropped.
  void add(std::size_t offset, net::Octets piece) noexcept;
  // Without a hole from the start on.
  std::span<const std::uint8_t> prefix() const noexcept {
    return ranges_ == 0 || range_[0].begin != 0 ? std::span<const std::uint8_t>{}
                                                : std::span(bytes_).first(range_[0].end);
  }
  bool is_full() const noexcept { return prefix().size() == kCapacity; }

  std::uint32_t first_sequence = 0;  // of TCP; the owner's
  QuicKeys quic;                     // the owner's

 private:
  struct Range {
    std::uint16_t begin = 0;
    std::uint16_t end = 0;
  };

  std::array<Range, kMostRanges> range_{};  // in order, never touching
  std::uint16_t ranges_ = 0;
  std::array<std::uint8_t, kCapacity> bytes_;
};
static_assert(sizeof(Assembly) <= 2'048);

using AssemblyId = std::uint16_t;  // 0 = none

// Fixed at construction. A VM holds at most its quota, so that one VM cannot starve the others.
class AssemblyPool {
 public:
  AssemblyPool(std::uint16_t count, std::uint16_t most_per_vm)
      : assemblies_(std::size_t{count} + 1), held_by_(assemblies_.size()), most_per_vm_(most_per_vm) {
    for (AssemblyId id = count; id > 0; --id) free_.push_back(id);
  }

  // 0 when the pool or the VM's quota is exhausted, which is counted.
  AssemblyId take(std::uint16_t vm) noexcept;
  void give_back(AssemblyId& id) noexcept;
  Assembly& operator[](AssemblyId id) noexcept { return assemblies_[id]; }
  std::uint64_t exhausted() const noexcept { return exhausted_; }
  std::size_t free_count() const noexcept { return free_.size(); }

 private:
  static constexpr std::size_t kVmBuckets = 1'024;

  std::vector<Assembly> assemblies_;  // [0] is never taken
  std::vector<std::uint16_t> held_by_;
  std::vector<AssemblyId> free_;
  std::array<std::uint16_t, kVmBuckets> held_{};  // VMs that share a bucket share a quota
  std::uint16_t most_per_vm_;
  std::uint64_t exhausted_ = 0;
};

}  // namespace foreflow::classify
