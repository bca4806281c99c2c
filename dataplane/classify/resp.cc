// SPDX-License-Identifier: Apache-2.0
// RESP, the serialisation that Redis speaks in both directions (versions 2 and 3).
#include <charconv>
#include <optional>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::int64_t kLargest = 512ll << 20;  // of one bulk string, and far more than any aggregate's count

// Reads elements one after the other; what nests is only counted, so there is no recursion.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool is_empty() const noexcept { return rest_.empty(); }
  bool is_cut_off() const noexcept { return cut_off_; }

  // False when the bytes are no element; an element that ends behind the payload is fine and ends the reading.
  bool take_element() noexcept {
    const char type = rest_.front();
    const auto end = rest_.find("\r\n");
    const auto line = rest_.substr(1, end == std::string_view::npos ? end : end - 1);
    if (line.find('\n') != std::string_view::npos) return false;
    cut_off_ = end == std::string_view::npos;
    rest_.remove_prefix(cut_off_ ? rest_.size() : end + 2);
    switch (type) {
      case '+':
      case '-':
      case ',':
      case '#':
      case '_':
      case '(':
        return true;
      case ':':
        return cut_off_ || number(line).has_value();
      case '*':
      case '%':
      case '~':
      case '>':
      case '|':
        return cut_off_ || is_count(number(line));
      case '$':
      case '!':
      case '=':
        return cut_off_ || take_bulk(number(line));
      default:
        return false;
    }
  }

 private:
  static std::optional<std::int64_t> number(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }
  static bool is_count(std::optional<std::int64_t> value) noexcept {
    return value && *value >= -1 && *value <= kLargest;
  }

  bool take_bulk(std::optional<std::int64_t> value) noexcept {
    if (!is_count(value)) return false;
    if (*value == -1) return true;  // null
    const auto size = static_cast<std::size_t>(*value);
    if (size + 2 > rest_.size()) {
      cut_off_ = true;
      rest_ = {};
      return true;
    }
    if (rest_.substr(size, 2) != "\r\n") return false;
    rest_.remove_prefix(size + 2);
    return true;
  }

  std::string_view rest_;
  bool cut_off_ = false;
};

}  // namespace

Finding validate_resp(net::Octets payload) noexcept {
  constexpr int kMostElements = 64;
  Reader reader(payload.text());
  for (int i = 0; i < kMostElements && !reader.is_empty(); ++i) {
    if (!reader.take_element()) return false;
    if (reader.is_cut_off()) return true;
  }
  return true;
}

}  // namespace foreflow::classify
