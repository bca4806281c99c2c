// SPDX-License-Identifier: Apache-2.0
#include "common/sha256.h"

#include <fmt/format.h>
#include <openssl/sha.h>

namespace foreflow {

Sha256 sha256(std::string_view bytes) {
  Sha256 hash;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
  return hash;
}

std::string to_hex(const Sha256& hash) {
  std::string text;
  for (const auto byte : hash) text += fmt::format("{:02x}", byte);
  return text;
}

std::optional<Sha256> from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Sha256 hash;
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    const auto high = kDigits.find(text[2 * i]);
    const auto low = kDigits.find(text[2 * i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    hash[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return hash;
}

}  // namespace foreflow
