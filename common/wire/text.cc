// SPDX-License-Identifier: Apache-2.0
#include "common/wire/convert.h"

namespace foreflow::wire {
namespace {

// Length of the well-formed UTF-8 character at the front (RFC 3629, section 4), 0 when there is none.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  const bool overlong = (first == 0xe0 && byte(1) < 0xa0) || (first == 0xf0 && byte(1) < 0x90);
  const bool surrogate = first == 0xed && byte(1) >= 0xa0;
  const bool beyond = first == 0xf4 && byte(1) >= 0x90;
  return overlong || surrogate || beyond ? 0 : size;
}

}  // namespace

std::string valid_text(std::string_view text, std::size_t longest) {
  std::string result;
  while (!text.empty()) {
    const auto size = character_size(text);
    const auto taken = size == 0 ? 1 : size;
    if (result.size() + taken > longest) break;
    if (size == 0)
      result += '?';
    else
      result += text.substr(0, size);
    text.remove_prefix(taken);
  }
  return result;
}

}  // namespace foreflow::wire
