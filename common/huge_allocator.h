// SPDX-License-Identifier: Apache-2.0
// Memory for tables that are read at random: aligned to, and where the kernel has them backed by, huge pages, so that a
// look-up does not miss the TLB as well as the cache (the kernel's "transparent huge pages" have to be at "madvise" or
// "always"; otherwise the pages are the usual ones).
// Place: common; an allocator for std::vector. Thread safety: as operator new.
#pragma once
#include <cstddef>
#include <new>

#include <sys/mman.h>

namespace foreflow {

template <typename T>
struct HugeAllocator {
  using value_type = T;
  static constexpr std::size_t kHugePage = 2u << 20;

  HugeAllocator() = default;
  template <typename U>
  HugeAllocator(const HugeAllocator<U>&) noexcept {}  // NOLINT: allocators convert

  T* allocate(std::size_t count) {
    const auto bytes = count * sizeof(T);
    auto* memory = ::operator new(bytes, alignment(bytes));
    if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, std::size_t count) noexcept {
    ::operator delete(static_cast<void*>(memory), alignment(count * sizeof(T)));
  }
  bool operator==(const HugeAllocator&) const = default;

 private:
  static std::align_val_t alignment(std::size_t bytes) {
    return std::align_val_t{bytes >= kHugePage ? kHugePage : alignof(T)};
  }
};

}  // namespace foreflow
