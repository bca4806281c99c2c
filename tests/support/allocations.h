// SPDX-License-Identifier: Apache-2.0
// Counts what the calling thread takes from the heap, by operator new or by malloc in any library that the program
// loads. Linking allocations.cc replaces malloc and its kin in the whole program.
#pragma once
#include <cstdint>

namespace foreflow::test {

// Calls so far by this thread that took memory.
std::uint64_t allocations() noexcept;

}  // namespace foreflow::test
