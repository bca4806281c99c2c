// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/regex.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>
#include <hs/hs.h>

namespace foreflow::classify {
namespace {

constexpr unsigned kFlags = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH;
constexpr unsigned kMostRepeat = 32;
constexpr unsigned kMostRepeats = 256;  // of all in a pattern together

std::string anchored(const Pattern& pattern) {
  if (pattern.depth != 0) return pattern.regex;
  return pattern.offset == 0 ? fmt::format("^(?:{})", pattern.regex)
                             : fmt::format("^.{{{}}}(?:{})", pattern.offset, pattern.regex);
}

hs_expr_ext extension(const Pattern& pattern) {
  hs_expr_ext ext{};
  if (pattern.depth != 0) {
    ext.flags = HS_EXT_FLAG_MAX_OFFSET;
    ext.max_offset = pattern.depth;
  }
  return ext;
}

// The inside of a `{m,n}` at `at`, or nothing. What is not a repeat is literal, as in PCRE.
std::optional<std::string_view> repeat_at(std::string_view regex, std::size_t at) {
  const auto end = regex.find('}', at);
  if (end == std::string_view::npos || end == at + 1) return std::nullopt;
  const auto inside = regex.substr(at + 1, end - at - 1);
  const auto is_count = [](char c) { return (c >= '0' && c <= '9') || c == ','; };
  if (inside.front() == ',' || !std::all_of(inside.begin(), inside.end(), is_count)) return std::nullopt;
  return inside;
}

unsigned largest_number(std::string_view inside) {
  unsigned largest = 0;
  for (const char* at = inside.data(); at < inside.data() + inside.size(); ++at) {
    unsigned value = 0;
    const auto [next, error] = std::from_chars(at, inside.data() + inside.size(), value);
    if (error == std::errc::result_out_of_range) return UINT32_MAX;
    largest = std::max(largest, value);
    at = next;
  }
  return largest;
}

// Calls visit(i) for each byte that is neither escaped nor in a character class.
template <typename Visit>
void each_operator(std::string_view regex, Visit&& visit) {
  bool in_class = false;
  for (std::size_t i = 0; i < regex.size(); ++i) {
    if (regex[i] == '\\') {
      ++i;
    } else if (in_class) {
      in_class = regex[i] != ']';
    } else if (regex[i] == '[') {
      in_class = true;
    } else {
      visit(i);
    }
  }
}

// What the repeats of a group, or of one item, come to.
struct Repeats {
  std::uint64_t largest = 1;  // within each other they multiply
  std::uint64_t total = 0;    // side by side they add up: the states that Hyperscan keeps
};

std::uint64_t total_of(const std::vector<Repeats>& open_groups) {
  std::uint64_t total = 0;
  for (const auto& group : open_groups) total += group.total;
  return total;
}

std::string too_slow(std::string_view inside, const std::string& beyond) {
  return fmt::format(
      "the repeat {{{}}} goes beyond {}: Hyperscan keeps a state per count, which makes every scan several times "
      "slower; use 'offset', 'depth', an unbounded repeat or a validator",
      inside, beyond);
}

std::optional<std::string> slow_repeat(std::string_view regex) {
  std::optional<std::string> reason;
  std::vector<Repeats> groups(1);
  Repeats last;           // of the group or the repeat that ended
  std::size_t ended = 0;  // before this; 0: none has
  each_operator(regex, [&](std::size_t i) {
    const bool applies_to_last = i > 0 && i == ended;
    if (regex[i] == '(') {
      groups.emplace_back();
    } else if (regex[i] == ')' && groups.size() > 1) {
      last = groups.back();
      ended = i + 1;
      groups.pop_back();
      groups.back().largest = std::max(groups.back().largest, last.largest);
      groups.back().total += last.total;
    } else if (applies_to_last && (regex[i] == '?' || regex[i] == '*' || regex[i] == '+')) {
      ended = i + 1;
    } else if (regex[i] == '{' && !reason) {
      const auto inside = repeat_at(regex, i);
      if (!inside) return;
      const auto before = applies_to_last ? last : Repeats{};
      const std::uint64_t count = std::max(1u, largest_number(*inside));
      groups.back().total -= before.total;
      last = {count * before.largest, count * std::max<std::uint64_t>(before.total, 1)};
      ended = i + inside->size() + 2;
      groups.back().largest = std::max(groups.back().largest, last.largest);
      groups.back().total += last.total;
      if (last.largest > kMostRepeat)
        reason = too_slow(*inside,
                          fmt::format("{}{}", kMostRepeat, last.largest == count ? "" : " with those inside of it"));
      else if (total_of(groups) > kMostRepeats)
        reason = too_slow(*inside, fmt::format("{} with those beside it", kMostRepeats));
    }
  });
  return reason;
}

std::optional<std::string> own_anchor(std::string_view regex) {
  std::optional<std::string> reason;
  each_operator(regex, [&](std::size_t i) {
    if (regex[i] == '^' && !reason)
      reason = "a '^' has no place here: a pattern starts at 'offset' (0 unless given), or anywhere with 'depth'";
  });
  return reason;
}

std::string message_of(hs_compile_error_t* error) {
  std::string text = error != nullptr && error->message != nullptr ? error->message : "Hyperscan gives no reason";
  hs_free_compile_error(error);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

int on_match(unsigned id, unsigned long long /*from*/, unsigned long long /*to*/, unsigned /*flags*/, void* context) {
  auto& matches = *static_cast<Matches*>(context);
  if (matches.count < matches.ids.size()) matches.ids[matches.count++] = static_cast<std::uint16_t>(id);
  return 0;
}

}  // namespace

void FreeDatabase::operator()(hs_database* database) const noexcept { hs_free_database(database); }
void FreeScratch::operator()(hs_scratch* scratch) const noexcept { hs_free_scratch(scratch); }

std::optional<std::string> objection(const Pattern& pattern) {
  if (pattern.regex.empty()) return "is empty; expected a regular expression (the PCRE subset of Hyperscan)";
  if (pattern.regex.size() > kLongestPattern)
    return fmt::format("has {} characters; at most {} are allowed", pattern.regex.size(), kLongestPattern);
  if (pattern.regex.find('\0') != std::string::npos) return "contains a zero byte; write \\x00";
  if (auto reason = own_anchor(pattern.regex)) return reason;
  if (auto reason = slow_repeat(pattern.regex)) return reason;
  const auto regex = anchored(pattern);
  const auto ext = extension(pattern);
  hs_expr_info_t* info = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_expression_ext_info(regex.c_str(), kFlags, &ext, &info, &error) != HS_SUCCESS)
    return fmt::format("Hyperscan refuses '{}': {}", pattern.regex, message_of(error));
  const auto shortest = info->min_width;
  std::free(info);
  if (shortest == 0) return fmt::format("'{}' also matches nothing at all; require at least one byte", pattern.regex);
  return std::nullopt;
}

bool is_bounded_start(const Pattern& pattern) {
  bool is_bounded = pattern.depth == 0;
  each_operator(pattern.regex, [&](std::size_t i) {
    const auto inside = pattern.regex[i] == '{' ? repeat_at(pattern.regex, i) : std::nullopt;
    is_bounded =
        is_bounded && pattern.regex[i] != '*' && pattern.regex[i] != '+' && !(inside && inside->ends_with(','));
  });
  return is_bounded;
}

Result<RegexDatabase> compile(std::span<const NumberedPattern> patterns) {
  if (patterns.empty()) return RegexDatabase{};
  if (hs_valid_platform() != HS_SUCCESS)
    return fail(ErrorCode::kUnsupported, "Hyperscan does not run on this CPU; it needs SSSE3");
  std::vector<std::string> regexes;
  std::vector<hs_expr_ext> extensions;
  for (const auto& [pattern, id] : patterns) {
    regexes.push_back(anchored(*pattern));
    extensions.push_back(extension(*pattern));
  }
  std::vector<const char*> expressions;
  std::vector<const hs_expr_ext*> extension_pointers;
  std::vector<unsigned> ids;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    expressions.push_back(regexes[i].c_str());
    extension_pointers.push_back(&extensions[i]);
    ids.push_back(patterns[i].id);
  }
  const std::vector<unsigned> flags(patterns.size(), kFlags);
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  if (hs_compile_ext_multi(expressions.data(), flags.data(), ids.data(), extension_pointers.data(),
                           static_cast<unsigned>(patterns.size()), HS_MODE_BLOCK, nullptr, &database,
                           &error) != HS_SUCCESS) {
    const int which = error != nullptr ? error->expression : -1;
    const auto reason = message_of(error);
    if (which < 0 || static_cast<std::size_t>(which) >= patterns.size())
      return fail(ErrorCode::kInvalidConfig, fmt::format("Hyperscan refuses the patterns together: {}", reason));
    const auto& refused = *patterns[static_cast<std::size_t>(which)].pattern;
    return fail(ErrorCode::kInvalidConfig, fmt::format("{}: Hyperscan refuses the pattern '{}' among the others: {}",
                                                       refused.where, refused.regex, reason));
  }
  return RegexDatabase(database);
}

Status prepare(const hs_database* database, RegexScratch& scratch) {
  if (database == nullptr) return {};
  auto* grown = scratch.release();
  const auto outcome = hs_alloc_scratch(database, &grown);
  scratch.reset(grown);
  if (outcome != HS_SUCCESS) return fail(ErrorCode::kExhausted, "no memory for Hyperscan's scratch space");
  return {};
}

std::string fingerprint(std::span<const NumberedPattern> patterns) {
  hs_platform_info platform{};
  hs_populate_platform(&platform);
  auto text = fmt::format("hyperscan {}\ncpu {} {:x} {:x}\nflags {:x}\n", hs_version(), platform.tune,
                          platform.cpu_features, HS_MODE_BLOCK, kFlags);
  for (const auto& [pattern, id] : patterns) text += fmt::format("{} {} {}\n", id, pattern->depth, anchored(*pattern));
  return text;
}

std::string serialise(const hs_database& database) {
  char* bytes = nullptr;
  std::size_t size = 0;
  if (hs_serialize_database(&database, &bytes, &size) != HS_SUCCESS) return {};
  std::string text(bytes, size);
  std::free(bytes);
  return text;
}

RegexDatabase deserialise(std::string_view bytes) {
  hs_database_t* database = nullptr;
  if (hs_deserialize_database(bytes.data(), bytes.size(), &database) != HS_SUCCESS) return {};
  return RegexDatabase(database);
}

namespace {

// Hyperscan 5.4 loads whole vectors (64 bytes with AVX-512 VBMI), also across the end of what it is given; Vectorscan
// has mended that since (its issue 322). Pages are this large at least.
constexpr std::size_t kReadsBeyond = 128, kPage = 4'096;

bool ends_near_a_page(std::span<const std::uint8_t> bytes) noexcept {
  return (reinterpret_cast<std::uintptr_t>(bytes.data()) + bytes.size() - 1) % kPage >= kPage - kReadsBeyond;
}

}  // namespace

void scan(const hs_database* database, hs_scratch* scratch, std::span<const std::uint8_t> payload,
          Matches& matches) noexcept {
  matches.count = 0;
  if (database == nullptr || payload.empty()) return;
  auto start = payload.first(std::min(payload.size(), kScanBytes));
  std::array<std::uint8_t, kScanBytes + kReadsBeyond> copy;
  if (ends_near_a_page(start)) {  // one payload in 32: nobody knows whether the next page can be read
    std::copy(start.begin(), start.end(), copy.begin());
    start = std::span(copy).first(start.size());
  }
  hs_scan(database, reinterpret_cast<const char*>(start.data()), static_cast<unsigned>(start.size()), 0, scratch,
          on_match, &matches);
}

}  // namespace foreflow::classify
