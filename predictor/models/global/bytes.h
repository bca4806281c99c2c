// SPDX-License-Identifier: Apache-2.0
// Numbers to bytes and back, for saved models. Byte order of the machine; the header of a file names it by its magic.
// Place: predictor/models/global.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace foreflow::predictor {

template <typename T>
void put(std::string& bytes, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <typename T>
void put_all(std::string& bytes, const std::vector<T>& values) {
  static_assert(std::is_trivially_copyable_v<T>);
  put(bytes, static_cast<std::uint64_t>(values.size()));
  if (!values.empty()) bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

// Takes a value off the front; nullopt when there is not enough left.
template <typename T>
std::optional<T> take(std::string_view& bytes) {
  static_assert(std::is_trivially_copyable_v<T>);
  if (bytes.size() < sizeof(T)) return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

template <typename T>
std::optional<std::vector<T>> take_all(std::string_view& bytes) {
  const auto count = take<std::uint64_t>(bytes);
  if (!count || *count > bytes.size() / sizeof(T)) return std::nullopt;
  std::vector<T> values(*count);
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  bytes.remove_prefix(values.size() * sizeof(T));
  return values;
}

}  // namespace foreflow::predictor
