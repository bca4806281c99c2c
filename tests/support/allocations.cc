// SPDX-License-Identifier: Apache-2.0
#include "tests/support/allocations.h"

#include <cerrno>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define FOREFLOW_SANITIZER_COUNTS
// From the sanitizers' allocator_interface.h, which GCC does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(  // NOLINT(bugprone-reserved-identifier)
    void (*allocated)(const volatile void*, std::size_t), void (*freed)(const volatile void*));
#endif

namespace {

thread_local std::uint64_t taken = 0;

}  // namespace

std::uint64_t foreflow::test::allocations() noexcept { return taken; }

#ifdef FOREFLOW_SANITIZER_COUNTS
// The sanitizer has a malloc of its own, and tells of its calls.
namespace {

const int installed = __sanitizer_install_malloc_and_free_hooks([](const volatile void*, std::size_t) { ++taken; },
                                                                [](const volatile void*) {});

}  // namespace
#else
extern "C" {

// glibc's own, under the names that it keeps for programs which replace malloc.
void* __libc_malloc(std::size_t size);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* block, std::size_t size);             // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(bugprone-reserved-identifier)

void* malloc(std::size_t size) {
  ++taken;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++taken;
  return __libc_calloc(count, size);
}
void* realloc(void* block, std::size_t size) {
  ++taken;
  return __libc_realloc(block, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++taken;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** out, std::size_t alignment, std::size_t size) {
  *out = memalign(alignment, size);
  return *out != nullptr ? 0 : ENOMEM;
}

}  // extern "C"
#endif
