// SPDX-License-Identifier: Apache-2.0
// Foreign bytes that cannot be left: a read past the end gives 0, a part past the end is shorter or empty.
// Place: dataplane/net; parsers and validators. What matters for a verdict is asked with has().
// A capture may hold less of a packet than was on the wire: size() is what is here, whole_size() what there was.
#pragma once
#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace foreflow::net {

// Loads from bytes that the caller has checked: in the machine's order, and big-endian.
inline std::uint16_t load_native16(const std::uint8_t* at) noexcept {
  std::uint16_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline std::uint32_t load_native32(const std::uint8_t* at) noexcept {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline std::uint64_t load_native64(const std::uint8_t* at) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}
inline std::uint16_t load_be16(const std::uint8_t* at) noexcept {
  return static_cast<std::uint16_t>(at[0] << 8 | at[1]);
}
inline std::uint32_t load_be32(const std::uint8_t* at) noexcept {
  return std::uint32_t{load_be16(at)} << 16 | load_be16(at + 2);
}

class Octets {
 public:
  constexpr Octets() = default;
  // Of anything that a span of bytes can view.
  template <std::convertible_to<std::span<const std::uint8_t>> Bytes>
  constexpr Octets(const Bytes& bytes) noexcept  // NOLINT: a view, like a span
      : Octets(std::span<const std::uint8_t>(bytes), 0) {}
  // `whole_size`: of the payload that `bytes` begin; never less than they are.
  constexpr Octets(std::span<const std::uint8_t> bytes, std::size_t whole_size) noexcept
      : data_(bytes.data()),
        size_(static_cast<std::uint32_t>(bytes.size())),
        whole_size_(static_cast<std::uint32_t>(std::max(bytes.size(), whole_size))) {}

  std::size_t size() const noexcept { return size_; }
  std::size_t whole_size() const noexcept { return whole_size_; }
  bool is_whole() const noexcept { return size_ == whole_size_; }
  bool has(std::size_t at, std::size_t count) const noexcept { return at <= size() && count <= size() - at; }

  std::uint8_t u8(std::size_t at) const noexcept { return at < size() ? data_[at] : std::uint8_t{0}; }
  std::uint16_t be16(std::size_t at) const noexcept {
    return static_cast<std::uint16_t>(std::uint32_t{u8(at)} << 8 | u8(at + 1));
  }
  std::uint32_t be24(std::size_t at) const noexcept { return std::uint32_t{u8(at)} << 16 | be16(at + 1); }
  std::uint32_t be32(std::size_t at) const noexcept { return std::uint32_t{be16(at)} << 16 | be16(at + 2); }
  std::uint64_t be64(std::size_t at) const noexcept { return std::uint64_t{be32(at)} << 32 | be32(at + 4); }
  std::uint16_t le16(std::size_t at) const noexcept {
    return static_cast<std::uint16_t>(std::uint32_t{u8(at + 1)} << 8 | u8(at));
  }
  std::uint32_t le24(std::size_t at) const noexcept { return std::uint32_t{u8(at + 2)} << 16 | le16(at); }
  std::uint32_t le32(std::size_t at) const noexcept { return std::uint32_t{le16(at + 2)} << 16 | le16(at); }

  // The part from `at` on, at most `count` bytes of it.
  Octets part(std::size_t at, std::size_t count = std::dynamic_extent) const noexcept {
    const auto whole = at < whole_size() ? std::min(count, whole_size() - at) : 0;
    if (at >= size()) return {{}, whole};
    return {std::span(data_ + at, std::min(count, size() - at)), whole};
  }

  std::string_view text() const noexcept { return {reinterpret_cast<const char*>(data_), size()}; }
  const std::uint8_t* data() const noexcept { return data_; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t whole_size_ = 0;
};

}  // namespace foreflow::net
