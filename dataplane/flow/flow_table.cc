// SPDX-License-Identifier: Apache-2.0
#include "dataplane/flow/flow_table.h"

#include <bit>
#include <cstring>
#include <random>

#include "common/units.h"

namespace foreflow::flow {
namespace {

constexpr unsigned kEntries = 8;
constexpr std::uint64_t kTickNs = 10'000'000;
constexpr std::uint32_t kTicksPerSecond = kNanosPerSecond / kTickNs;
constexpr std::uint32_t kOpenFactor = 10;
constexpr std::uint32_t kMostCapacity = 1u << 28;
constexpr std::uint32_t kMostIdleSeconds = 1'000'000;  // ten times that still fits half the range of a 10 ms tick

// Both halves of the product, folded: every input bit reaches every output bit.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint32_t tick(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kTickNs); }

std::uint64_t random_seed() {
  std::random_device random;
  return std::uint64_t{random()} << 32 | random();
}

}  // namespace

// One cache line: the signatures are compared before any record is touched. Signature 0 = the entry is empty.
struct alignas(64) FlowTable::Bucket {
  std::array<std::uint16_t, kEntries> signatures{};
  std::array<Index, kEntries> indices{};

  unsigned matching(std::uint16_t signature) const noexcept {
    unsigned mask = 0;
    for (unsigned i = 0; i < kEntries; ++i) mask |= static_cast<unsigned>(signatures[i] == signature) << i;
    return mask;
  }
};

namespace {

std::uint16_t signature(std::uint64_t digest) noexcept {
  const auto high = static_cast<std::uint16_t>(digest >> 48);
  return high == 0 ? std::uint16_t{1} : high;
}

// A flow may be in either of two buckets, which makes full buckets rare long before the table is full.
std::size_t first_choice(std::uint64_t digest, std::size_t mask) noexcept { return digest & mask; }
std::size_t second_choice(std::uint64_t digest, std::size_t mask) noexcept {
  const auto first = first_choice(digest, mask);
  const auto second = (digest >> 20) & mask;
  return second != first ? second : (first ^ 1) & mask;
}

}  // namespace

FlowKey make_key(const net::Parsed& packet, vm::Slot vm, Direction direction) noexcept {
  const bool leaves = direction == Direction::kEgress;
  return {.local = leaves ? packet.source_ip : packet.destination_ip,
          .remote = leaves ? packet.destination_ip : packet.source_ip,
          .local_port = leaves ? packet.source_port : packet.destination_port,
          .remote_port = leaves ? packet.destination_port : packet.source_port,
          .vm = vm,
          .protocol = packet.ip_protocol};
}

std::uint64_t hash(const FlowKey& key, std::uint64_t seed) noexcept {
  std::array<std::uint64_t, 5> words;
  std::memcpy(words.data(), key.local.bytes.data(), 16);
  std::memcpy(words.data() + 2, key.remote.bytes.data(), 16);
  words[4] = std::uint64_t{key.local_port} << 48 | std::uint64_t{key.remote_port} << 32 | std::uint64_t{key.vm} << 16 |
             key.protocol;
  // Odd constants: the fractional parts of the square roots of 2, 3, 5, 7, 11 and 13.
  auto state = seed ^ 0x6a09e667f3bcc909;
  state = mix(words[0] ^ state, words[1] ^ 0xbb67ae8584caa73b);
  state = mix(words[2] ^ state, words[3] ^ 0x3c6ef372fe94f82b) + 0xa54ff53a5f1d36f1;
  const auto last = mix(words[4] ^ state, 0x510e527fade682d1 ^ seed);
  return mix(last ^ state, 0x9b05688c2b3e6c1f);
}

FlowTable::FlowTable(const FlowTableConfig& config)
    : records_(std::min(config.capacity, kMostCapacity)),
      links_(records_.size()),
      buckets_(std::bit_ceil(std::max<std::size_t>(records_.size() / 5, 2))),
      per_vm_(vm::kMostVms),
      free_(records_.empty() ? kNone : 0),
      most_per_vm_(config.most_per_vm),
      idle_10ms_(std::min(config.idle_seconds, kMostIdleSeconds) * kTicksPerSecond),
      seed_(random_seed()) {
  wheel_.fill(kNone);
  for (Index i = 0; i + 1 < records_.size(); ++i) links_[i].next = i + 1;
}

FlowTable::~FlowTable() = default;

void FlowTable::prefetch(std::uint64_t digest) const noexcept {
  __builtin_prefetch(&buckets_[first_choice(digest, buckets_.size() - 1)]);
}

FlowTable::Place FlowTable::locate(const FlowKey& key, std::uint64_t digest) noexcept {
  const auto mask = buckets_.size() - 1;
  for (const auto choice : {first_choice(digest, mask), second_choice(digest, mask)}) {
    auto& bucket = buckets_[choice];
    for (auto matches = bucket.matching(signature(digest)); matches != 0; matches &= matches - 1) {
      const auto entry = static_cast<unsigned>(std::countr_zero(matches));
      if (records_[bucket.indices[entry]].key == key) return {&bucket, entry};
    }
  }
  return {};
}

FlowTable::Place FlowTable::vacancy(std::uint64_t digest) noexcept {
  const auto mask = buckets_.size() - 1;
  auto* bucket = &buckets_[first_choice(digest, mask)];
  auto* other = &buckets_[second_choice(digest, mask)];
  if (std::popcount(other->matching(0)) > std::popcount(bucket->matching(0))) bucket = other;
  const auto empty = bucket->matching(0);
  if (empty == 0) return {};
  return {bucket, static_cast<unsigned>(std::countr_zero(empty))};
}

FlowTable::Found FlowTable::refuse() noexcept {
  ++full_;
  return {};
}

FlowTable::Found FlowTable::find_or_insert(const FlowKey& key, std::uint64_t digest, std::uint64_t now_ns) noexcept {
  if (const auto place = locate(key, digest); place.bucket != nullptr) {
    auto& record = records_[place.bucket->indices[place.entry]];
    record.last_seen_10ms = tick(now_ns);
    return {&record, false};
  }
  if (key.vm >= per_vm_.size() || per_vm_[key.vm] >= most_per_vm_ || free_ == kNone) return refuse();
  const auto place = vacancy(digest);
  if (place.bucket == nullptr) return refuse();

  const auto index = free_;
  free_ = links_[index].next;
  place.bucket->signatures[place.entry] = signature(digest);
  place.bucket->indices[place.entry] = index;
  auto& record = records_[index];
  record = FlowRecord{};
  record.key = key;
  record.last_seen_10ms = tick(now_ns);
  if (size_ == 0) wheel_second_ = now_ns / kNanosPerSecond;
  link(index, wheel_second_ + kLookAgainSeconds);
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
  unlink(index);
  --per_vm_[record.key.vm];
  --size_;
  record.key.vm = vm::kNoSlot;
  links_[index].next = free_;
  free_ = index;
}

void FlowTable::link(Index index, std::uint64_t second) noexcept {
  const auto slot = static_cast<std::uint8_t>(second % kWheelSlots);
  links_[index] = {wheel_[slot], kNone, slot};
  if (wheel_[slot] != kNone) links_[wheel_[slot]].previous = index;
  wheel_[slot] = index;
}

void FlowTable::unlink(Index index) noexcept {
  const auto [next, previous, slot] = links_[index];
  if (next != kNone) links_[next].previous = previous;
  if (previous != kNone) {
    links_[previous].next = next;
  } else {
    wheel_[slot] = next;
  }
}

FlowTable::Index FlowTable::next_due(std::uint64_t now_ns) noexcept {
  const auto now = now_ns / kNanosPerSecond;
  if (now <= wheel_second_) return kNone;
  // After a pause longer than one turn, one turn shows every slot.
  wheel_second_ = std::max(wheel_second_, now - std::min<std::uint64_t>(now, kWheelSlots));
  while (wheel_second_ < now) {
    if (const auto index = wheel_[wheel_second_ % kWheelSlots]; index != kNone) return index;
    ++wheel_second_;
  }
  return kNone;
}

std::uint64_t FlowTable::seconds_left(const FlowRecord& record, std::uint64_t now_ns) const noexcept {
  // Ticks wrap, so only their difference means something; a flow seen "in the future" has been idle for 0.
  const auto since = static_cast<std::int32_t>(tick(now_ns) - record.last_seen_10ms);
  const std::uint64_t idle = since > 0 ? static_cast<std::uint64_t>(since) : 0;
  std::uint64_t limit = idle_10ms_;
  if (record.tcp == TcpState::kOpen) limit *= kOpenFactor;
  if (record.tcp == TcpState::kClosed) limit = std::min<std::uint64_t>(limit, kLingerSeconds * kTicksPerSecond);
  return idle >= limit ? 0 : (limit - idle + kTicksPerSecond - 1) / kTicksPerSecond;
}

void FlowTable::look_again(Index index, std::uint64_t seconds) noexcept {
  unlink(index);
  // Always into a slot other than the one being emptied, so that emptying it comes to an end.
  link(index, wheel_second_ + std::clamp<std::uint64_t>(seconds, 1, kLookAgainSeconds));
}

}  // namespace foreflow::flow
