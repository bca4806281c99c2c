// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/assembly.h"

namespace foreflow::classify {

void Assembly::add(std::size_t offset, net::Octets piece) noexcept {
  if (offset >= kCapacity || piece.size() == 0) return;
  Range added{static_cast<std::uint16_t>(offset),
              static_cast<std::uint16_t>(offset + std::min(piece.size(), kCapacity - offset))};
  // Ranges before, ranges that the new one touches, ranges after.
  std::size_t first = 0;
  while (first < ranges_ && range_[first].end < added.begin) ++first;
  std::size_t last = first;
  while (last < ranges_ && range_[last].begin <= added.end) ++last;
  if (first == last && ranges_ == kMostRanges) return;

  std::array<std::uint8_t, kCapacity>& bytes = bytes_;
  std::size_t at = added.begin;
  for (std::size_t i = first; i <= last; ++i) {  // into the holes only
    const std::size_t hole_end = i < last ? std::max<std::size_t>(at, range_[i].begin) : added.end;
    if (hole_end > at) std::memcpy(bytes.data() + at, piece.data() + (at - offset), hole_end - at);
    if (i < last) at = std::max<std::size_t>(at, range_[i].end);
  }
  if (first < last) {
    added.begin = std::min(added.begin, range_[first].begin);
    added.end = std::max(added.end, range_[last - 1].end);
    std::move(range_.begin() + static_cast<std::ptrdiff_t>(last), range_.begin() + ranges_,
              range_.begin() + static_cast<std::ptrdiff_t>(first) + 1);
    ranges_ = static_cast<std::uint16_t>(ranges_ - (last - first) + 1);
  } else {
    std::move_backward(range_.begin() + static_cast<std::ptrdiff_t>(first), range_.begin() + ranges_,
                       range_.begin() + ranges_ + 1);
    ++ranges_;
  }
  range_[first] = added;
}

}  // namespace foreflow::classify
