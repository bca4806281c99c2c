// SPDX-License-Identifier: Apache-2.0
#include "host/store/influx_answer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace foreflow::store {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// `partial write: ... dropped=N`. A line that does not parse is told with dropped=0 although it is lost.
std::uint64_t dropped_points(std::string_view body) {
  constexpr std::string_view kKey = "dropped=";
  std::uint64_t dropped = 0;
  if (const auto at = body.rfind(kKey); at != std::string_view::npos)
    std::from_chars(body.data() + at + kKey.size(), body.data() + body.size(), dropped);
  return std::max<std::uint64_t>(1, dropped);
}

Verdict verdict_of_bad_request(std::string_view body) {
  if (contains(body, "partial write")) return Verdict::kPartlyStored;
  // Not about these points: every request would end like this until the configuration changes.
  if (contains(body, "database is required")) return Verdict::kHold;
  if (contains(body, "HTTP request to an HTTPS server")) return Verdict::kHold;
  return Verdict::kRefused;
}

Verdict verdict_of(long status, std::string_view body) {
  if (status >= 200 && status < 300) return Verdict::kStored;
  if (status == 400) return verdict_of_bad_request(body);
  if (status == 404 && contains(body, "database not found")) return Verdict::kCreateDatabase;
  if (status == 408 || status == 429) return Verdict::kRetry;
  if (status == 413) return Verdict::kSplit;
  if (status == 422) return Verdict::kRefused;
  // A 5xx that does not pass.
  if (status == 500 && contains(body, "retention policy not found")) return Verdict::kHold;
  if (status >= 500) return Verdict::kRetry;
  return Verdict::kHold;  // 401, 403, a path that is not there, a redirect
}

}  // namespace

std::string short_reason(std::string_view text) {
  std::string reason(text.substr(0, kLongestReason));
  for (auto& c : reason)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  while (!reason.empty() && reason.back() == ' ') reason.pop_back();
  if (text.size() > kLongestReason) reason.replace(kLongestReason - 3, 3, "...");
  return reason;
}

Answer classify_answer(long status, std::string_view body) {
  Answer answer{verdict_of(status, body), 0, {}};
  if (answer.verdict == Verdict::kPartlyStored) answer.rejected = dropped_points(body);
  if (answer.verdict != Verdict::kStored) answer.reason = short_reason(fmt::format("HTTP {}: {}", status, body));
  return answer;
}

}  // namespace foreflow::store
