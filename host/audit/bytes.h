// SPDX-License-Identifier: Apache-2.0
// Integers as few bytes: LEB128, signed ones zigzag. The same bytes on every platform.
// Place: host/audit, for codec.cc. Source: DWARF 4, 7.6 (LEB128); Protocol Buffers encoding (zigzag).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.h"

namespace foreflow::audit {

class ByteWriter {
 public:
  void put(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  // The difference, which wraps around: any value comes back.
  void put_change(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t difference = to - from;
    put((difference << 1) ^ (difference >> 63 != 0 ? ~std::uint64_t{0} : 0));
  }
  void put(std::string_view text) {
    put(std::uint64_t{text.size()});
    bytes_ += text;
  }
  std::string take() && { return std::move(bytes_); }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Reads what ByteWriter wrote. What does not parse makes it fail for good: values are 0 from then on.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t get() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at_ < bytes_.size(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(bytes_[at_++]);
      if (shift == 63 && byte > 1) break;
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    return spoil();
  }
  std::uint64_t get_change(std::uint64_t from) {
    const std::uint64_t zigzag = get();
    return from + ((zigzag >> 1) ^ ((zigzag & 1) != 0 ? ~std::uint64_t{0} : 0));
  }
  std::string_view get_text() {
    const std::uint64_t size = get();
    if (size > bytes_.size() - at_) return spoil(), std::string_view();
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  // A count of things that take at least one byte each.
  std::size_t get_count() {
    const std::uint64_t count = get();
    return count <= bytes_.size() - at_ ? static_cast<std::size_t>(count) : static_cast<std::size_t>(spoil());
  }

  bool good() const { return good_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::uint64_t spoil() {
    good_ = false;
    at_ = bytes_.size();
    return 0;
  }
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool good_ = true;
};

}  // namespace foreflow::audit
