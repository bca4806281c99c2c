// SPDX-License-Identifier: Apache-2.0
// Puts the start of a byte stream together from pieces that come in any order, and the pool that such buffers come
// from. Place: dataplane/classify; for TLS hellos over several segments and QUIC's CRYPTO frames. One worker owns a
// pool.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "dataplane/classify/quic.h"
#include "dataplane/classify/quota_pool.h"
#include "dataplane/net/octets.h"

namespace foreflow::classify {

// Bytes of a stream from its offset 0 on. What lies behind the buffer is dropped: names come early in a hello.
class Assembly {
 public:
  static constexpr std::size_t kCapacity = 1'952;
  static constexpr std::size_t kMostRanges = 6;  // with holes between them

  void reset() noexcept {
    ranges_ = 0;
    quic = {};
  }
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

using AssemblyPool = QuotaPool<Assembly, AssemblyId>;

}  // namespace foreflow::classify
