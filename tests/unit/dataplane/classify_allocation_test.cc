// SPDX-License-Identifier: Apache-2.0
// The packet path must not allocate: operator new of this program counts its calls.
#include <atomic>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "common/units.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/flow/flow_table.h"
#include "tests/support/signatures.h"
#include "tests/unit/dataplane/payload_samples.h"

namespace {
std::atomic<std::uint64_t> allocations{0};

void* counted_or_null(std::size_t size, std::size_t alignment) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  // aligned_alloc wants a multiple of the alignment.
  return std::aligned_alloc(alignment, (size + alignment) / alignment * alignment);
}

void* counted(std::size_t size, std::size_t alignment) {
  if (void* block = counted_or_null(size, alignment)) return block;
  throw std::bad_alloc();
}
}  // namespace

// Not inlined: GCC would take free() in one and new in another for a mismatch. The forms that do not throw are here
// too: under AddressSanitizer those of the library are not made of these.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t& /*tag*/) noexcept {
  return counted_or_null(size, alignof(std::max_align_t));
}
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment,
                                     const std::nothrow_t& /*tag*/) noexcept {
  return counted_or_null(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* block) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::align_val_t /*alignment*/) noexcept { std::free(block); }
[[gnu::noinline]] void operator delete(void* block, std::size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(block);
}

namespace foreflow {
namespace {

TEST(PacketPath, InspectingDoesNotAllocate) {
  const auto classifier = classify::Classifier::load(test::kSignatures, test::kSignatureCache);
  ASSERT_TRUE(classifier) << classifier.error().message;
  auto inspector = classify::Inspector::create(**classifier);
  ASSERT_TRUE(inspector);
  const auto& samples = testing::payload_samples();
  const auto named = testing::tls_client_hello("a.long.name.of.a.host.nflxvideo.net");
  const auto before = allocations.load();
  for (const auto& sample : samples) inspector->inspect(**classifier, {sample.payload, sample.ip_protocol});
  const auto verdict = inspector->inspect(**classifier, {named, net::kTcp});
  EXPECT_EQ(allocations.load(), before);
  EXPECT_NE(verdict.app, 0);
  EXPECT_GT(before, 0u) << "the counter counts";
}

TEST(PacketPath, FollowingFlowsDoesNotAllocate) {
  const auto classifier = classify::Classifier::load(test::kSignatures, test::kSignatureCache);
  ASSERT_TRUE(classifier) << classifier.error().message;
  const auto engine = classify::FlowClassifier::create(**classifier, {.conversations = 64, .fingerprints = true});
  ASSERT_TRUE(engine);
  const auto& samples = testing::payload_samples();
  const auto before = allocations.load();
  std::size_t hellos = 0;
  for (std::uint16_t port = 0; const auto& sample : samples) {
    classify::FlowEnds ends{.port = {40'000, ++port}, .ip_protocol = sample.ip_protocol};
    classify::ConversationId id = 0;
    classify::Verdict verdict;
    for (std::uint32_t i = 0; i < 12; ++i) {
      (*engine)->inspect(id, ends, {sample.payload, static_cast<classify::Side>(i & 1), 1'000 * i, i}, verdict);
      hellos += (*engine)->hello() != nullptr ? 1 : 0;
    }
    (*engine)->conclude(id, ends, 12);
  }
  EXPECT_EQ(allocations.load(), before);
  EXPECT_GT(hellos, 0u) << "a fingerprint was among it";
}

TEST(PacketPath, TheFlowTableAllocatesAtConstructionOnly) {
  flow::FlowTable table({.capacity = 1'000});
  flow::FlowKey key{.vm = 1};
  const auto before = allocations.load();
  std::uint32_t ended = 0;
  for (std::uint32_t i = 0; i < 5'000; ++i) {
    key.local_port = static_cast<std::uint16_t>(i);
    table.find_or_insert(key, i * kNanosPerSecond);
    table.age(i * kNanosPerSecond, 10, [&ended](const flow::FlowRecord&) { ++ended; });
  }
  EXPECT_EQ(allocations.load(), before);
  EXPECT_GT(ended, 0u);
}

}  // namespace
}  // namespace foreflow
