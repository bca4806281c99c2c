// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/flow_table.h"

#include <cstring>
#include <random>

namespace foreflow::flow {
namespace {

constexpr std::uint32_t kTicksPerSecond = 100;
constexpr std::uint32_t kOpenFactor = 10;
constexpr std::uint32_t kMostCapacity = 1u << 28;
constexpr std::uint32_t kMostIdleSeconds = 1'000'000;  // ten times that still fits half the range of a 10 ms tick

// Both halves of the product, folded: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t random_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

std::uint64_t hash(const FlowKey& key, std::uint64_t seed) noexcept {
  const auto word = [](const net::IpAddress& address, std::size_t at) {
    std::uint64_t value = 0;
    std::memcpy(&value, address.bytes.data() + at, sizeof value);
    return value;
  };
  const auto rest = std::uint64_t{key.local_port} << 48 | std::uint64_t{key.remote_port} << 32 |
                    std::uint64_t{key.vm} << 16 | key.protocol;
  // Odd constants: the fractional parts of the square roots of 2, 3, 5, 7, 11 and 13.
  auto state = seed ^ 0x6a09e667f3bcc909;
  state = mix(word(key.local, 0) ^ state, word(key.local, 8) ^ 0xbb67ae8584caa73b);
  state = mix(word(key.remote, 0) ^ state, word(key.remote, 8) ^ 0x3c6ef372fe94f82b) + 0xa54ff53a5f1d36f1;
  const auto last = mix(rest ^ state, 0x510e527fade682d1 ^ seed);
  return mix(last ^ state, 0x9b05688c2b3e6c1f);
}

FlowTable::FlowTable(const FlowTableConfig& config)
    : buckets_(std::bit_ceil(std::max<std::size_t>(std::min(config.capacity, kMostCapacity) / 5, 2))),
      mask_(buckets_.size() - 1),
      records_(std::min(config.capacity, kMostCapacity)),
      seed_(random_seed()),
      per_vm_(vm::kMostVms),
      free_(records_.empty() ? kNone : 0),
      most_per_vm_(config.most_per_vm),
      idle_10ms_(std::min(config.idle_seconds, kMostIdleSeconds) * kTicksPerSecond) {
  static_assert(kTicksPerSecond * kTickNs == kNanosPerSecond);
  for (Index i = 0; i < records_.size(); ++i) records_[i].last_seen_10ms = i + 1 < records_.size() ? i + 1 : kNone;
}

// The first choice as long as it is not nearly full: a record there is asked from memory one wait earlier.
FlowTable::Place FlowTable::vacancy(std::uint64_t digest) noexcept {
  constexpr int kAmple = 3;
  auto* bucket = &buckets_[first_choice(digest)];
  auto empty = bucket->matching(0);
  if (std::popcount(empty) < kAmple) {
    auto* other = &buckets_[second_choice(digest)];
    const auto others = other->matching(0);
    if (std::popcount(others) > std::popcount(empty)) {
      bucket = other;
      empty = others;
    }
  }
  if (empty == 0) return {};
  return {bucket, static_cast<unsigned>(std::countr_zero(empty))};
}

FlowTable::Found FlowTable::refuse() noexcept {
  ++full_;
  return {};
}

FlowTable::Found FlowTable::insert(const FlowKey& key, std::uint64_t digest, std::uint64_t now_ns) noexcept {
  if (key.vm >= per_vm_.size() || per_vm_[key.vm] >= most_per_vm_ || free_ == kNone) return refuse();
  const auto place = vacancy(digest);
  if (place.bucket == nullptr) return refuse();

  const auto index = free_;
  auto& record = records_[index];
  free_ = record.last_seen_10ms;
  place.bucket->signatures[place.entry] = signature(digest);
  place.bucket->indices[place.entry] = index;
  record = FlowRecord{};
  record.key = key;
  record.last_seen_10ms = tick(now_ns);
  ++size_;
  ++per_vm_[key.vm];
  return {&record, true};
}

FlowRecord* FlowTable::find(const FlowKey& key) noexcept {
  const auto place = locate(key, digest(key));
  return place.bucket != nullptr ? &records_[place.bucket->indices[place.entry]] : nullptr;
}

void FlowTable::erase(Index index) noexcept {
  auto& record = records_[index];
  const auto place = locate(record.key, digest(record.key));
  place.bucket->signatures[place.entry] = 0;
  --per_vm_[record.key.vm];
  --size_;
  record.key.vm = vm::kNoSlot;
  record.last_seen_10ms = free_;
  free_ = index;
}

std::uint32_t FlowTable::claim(std::uint64_t now_ns, std::uint32_t budget) noexcept {
  constexpr auto kTurnNs = kTurnSeconds * kNanosPerSecond;
  if (now_ns > aged_ns_) {
    const auto whole = records_.size() * kTurnNs;  // below 2^62
    owed_ = size_ == 0 ? 0 : std::min(whole, owed_ + std::min(now_ns - aged_ns_, kTurnNs) * records_.size());
    aged_ns_ = now_ns;
  }
  const auto count = static_cast<std::uint32_t>(std::min<std::uint64_t>(owed_ / kTurnNs, budget));
  owed_ -= count * kTurnNs;
  return count;
}

bool FlowTable::is_over(const FlowRecord& record, std::uint64_t now_ns) const noexcept {
  // Ticks wrap, so only their difference means something; a flow seen "in the future" has been idle for 0.
  const auto since = static_cast<std::int32_t>(tick(now_ns) - record.last_seen_10ms);
  const std::uint64_t idle = since > 0 ? static_cast<std::uint64_t>(since) : 0;
  std::uint64_t limit = idle_10ms_;
  if (record.tcp == TcpState::kOpen) limit *= kOpenFactor;
  if (record.tcp == TcpState::kClosed) limit = std::min<std::uint64_t>(limit, kLingerSeconds * kTicksPerSecond);
  return idle >= limit;
}

}  // namespace foreflow::flow
