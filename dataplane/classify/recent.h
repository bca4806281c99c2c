// SPDX-License-Identifier: Apache-2.0
// What was learned of an address lately: a service by a DNS answer, a protocol by an earlier flow, a channel by an
// announcement. Fixed memory, oldest of a set first out, nothing ever searched.
// Place: dataplane/classify. One worker owns it.
// A key is kept as a 48-bit tag of a secret hash: two keys are taken for one with a chance below 10^-12 per look-up.
#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "dataplane/net/parse.h"

namespace foreflow::classify {

struct RecentKey {
  net::IpAddress address;
  std::uint16_t port = 0;
  std::uint16_t vm = 0;
  std::uint8_t protocol = 0;
  std::uint16_t own_port = 0;  // the VM's, where one flow is meant
};

template <typename Value>
class Recent {
 public:
  // `count`: entries, rounded up to a power of two. `lifetime_seconds`: how long one is believed, at most 65,535.
  Recent(std::size_t count, std::uint32_t lifetime_seconds)
      : sets_(std::bit_ceil(std::max<std::size_t>(count / kWays, 1))), lifetime_(lifetime_seconds) {
    std::random_device device;
    seed_ = std::uint64_t{device()} << 32 | device();
  }

  void put(const RecentKey& key, std::uint32_t now_seconds, const Value& value) noexcept {
    const auto place = find_place(key);
    auto& set = sets_[place.set];
    Entry* oldest = &set[0];
    Entry* own_oldest = nullptr;  // a VM that floods the cache replaces what is its own
    for (auto& entry : set) {
      if (entry.tag == place.tag || entry.tag == 0) {
        entry = {place.tag, now_seconds, key.vm, value};
        return;
      }
      if (age(entry, now_seconds) > age(*oldest, now_seconds)) oldest = &entry;
      if (entry.vm == key.vm && (own_oldest == nullptr || age(entry, now_seconds) > age(*own_oldest, now_seconds)))
        own_oldest = &entry;
    }
    *(own_oldest != nullptr ? own_oldest : oldest) = {place.tag, now_seconds, key.vm, value};
  }

  // Null when nothing is known, or only what is too old.
  const Value* find(const RecentKey& key, std::uint32_t now_seconds) const noexcept {
    const auto place = find_place(key);
    for (const auto& entry : sets_[place.set])
      if (entry.tag == place.tag) return age(entry, now_seconds) <= lifetime_ ? &entry.value : nullptr;
    return nullptr;
  }

  void erase(const RecentKey& key) noexcept {
    const auto place = find_place(key);
    for (auto& entry : sets_[place.set])
      if (entry.tag == place.tag) entry = {};
  }
  void clear() noexcept {
    for (auto& set : sets_) set = {};
  }
  // What was learned for one VM; visits everything.
  void clear(std::uint16_t vm) noexcept {
    for (auto& set : sets_)
      for (auto& entry : set)
        if (entry.vm == vm) entry = {};
  }

 private:
  static constexpr std::size_t kWays = 4;

  struct Entry {
    std::uint64_t tag = 0;  // 0 = free
    std::uint32_t seconds = 0;
    std::uint16_t vm = 0;
    Value value{};
  };
  struct Place {
    std::size_t set;
    std::uint64_t tag;
  };

  // A capture's time may run backwards; then an entry is new.
  static std::uint32_t age(const Entry& entry, std::uint32_t now) noexcept {
    return now > entry.seconds ? now - entry.seconds : 0;
  }

  Place find_place(const RecentKey& key) const noexcept {
    std::uint64_t words[2];
    std::memcpy(words, key.address.bytes.data(), sizeof words);
    const auto ports = std::uint64_t{key.own_port} << 48 | std::uint64_t{key.port} << 32;
    const auto rest = ports | std::uint64_t{key.vm} << 16 | key.protocol;
    const auto hash = mixed(mixed(mixed(seed_ ^ words[0]) ^ words[1]) ^ rest);
    return {hash & (sets_.size() - 1), hash >> 16 | 1};
  }
  static std::uint64_t mixed(std::uint64_t x) noexcept {  // the finaliser of SplitMix64
    x += 0x9e3779b97f4a7c15;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::vector<std::array<Entry, kWays>> sets_;
  std::uint32_t lifetime_;
  std::uint64_t seed_ = 0;
};

}  // namespace foreflow::classify
