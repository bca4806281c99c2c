// SPDX-License-Identifier: Apache-2.0
// Behind which other end of a tunnel a MAC was seen last (RFC 7348, 4.1: learnt from what arrives).
// Place: dataplane/pipeline. One worker owns it. Fixed memory: who floods it with addresses makes others' frames go to
// all ends again, and nothing else.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "common/ids.h"
#include "common/units.h"
#include "dataplane/pipeline/tunnels.h"

namespace foreflow::pipeline {

class Whereabouts {
 public:
  static constexpr std::uint64_t kForgottenAfterNs = 300 * kNanosPerSecond;  // as bridges do (IEEE 802.1Q, 8.8.3)

  // Forgets everything. Allocates; before that nothing is learnt.
  void clear() { buckets_.assign(kBuckets, {}); }

  void learn(Segment segment, const MacAddress& mac, RemoteEnd remote, std::uint64_t now_ns) noexcept {
    if (buckets_.empty() || mac.is_multicast()) return;
    auto& bucket = buckets_[place(segment, mac)];
    auto* entry = find(bucket, segment, mac);
    if (entry == nullptr) entry = &*std::ranges::min_element(bucket.entries, {}, &Entry::seen_s);
    *entry = {mac, remote, 0, segment, second(now_ns)};
  }

  // kNoRemote: not seen, or long ago.
  RemoteEnd find(Segment segment, const MacAddress& mac, std::uint64_t now_ns) const noexcept {
    if (buckets_.empty()) return kNoRemote;
    const auto* entry = find(buckets_[place(segment, mac)], segment, mac);
    const bool is_fresh = entry != nullptr && second(now_ns) - entry->seen_s <= kForgottenAfterNs / kNanosPerSecond;
    return is_fresh ? entry->remote : kNoRemote;
  }

 private:
  struct Entry {
    MacAddress mac;
    RemoteEnd remote = kNoRemote;
    std::uint8_t unused = 0;
    Segment segment;
    std::uint32_t seen_s = 0;  // 0: empty
  };
  struct alignas(64) Bucket {
    std::array<Entry, 4> entries;
  };
  static constexpr std::size_t kBuckets = 1'024;

  static std::uint32_t second(std::uint64_t now_ns) noexcept {
    return static_cast<std::uint32_t>(now_ns / kNanosPerSecond) + 1;
  }
  static std::size_t place(Segment segment, const MacAddress& mac) noexcept {
    std::uint64_t key = 0;
    std::memcpy(&key, mac.octets.data(), mac.octets.size());
    return ((key ^ std::uint64_t{segment.value} << 32) * 0x9e3779b97f4a7c15) >> 40 & (kBuckets - 1);
  }
  template <typename AnyBucket>
  static auto find(AnyBucket& bucket, Segment segment, const MacAddress& mac) noexcept
      -> decltype(bucket.entries.data()) {
    for (auto& entry : bucket.entries)
      if (entry.seen_s != 0 && entry.mac == mac && entry.segment == segment) return &entry;
    return nullptr;
  }

  std::vector<Bucket> buckets_;
};

}  // namespace foreflow::pipeline
