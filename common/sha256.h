// SPDX-License-Identifier: Apache-2.0
// SHA-256: what files and chains of records are known by.
// Place: common.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace foreflow {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);
std::string to_hex(const Sha256& hash);
// nullopt for anything but 64 lower-case hexadecimal digits.
std::optional<Sha256> from_hex(std::string_view text);

}  // namespace foreflow
