// SPDX-License-Identifier: Apache-2.0
#include "host/audit/reader.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "host/audit/log.h"
#include "host/audit/segment.h"

namespace foreflow::audit {
namespace {

Result<Hash> beginning(const std::filesystem::path& folder) {
  const auto anchor = read_anchor(folder);
  if (anchor) return anchor->hash;
  if (anchor.error().code == ErrorCode::kNotFound) return Hash{};
  return tl::unexpected(anchor.error());
}

void blame(Report& report, std::string fault) {
  if (report.fault.empty()) report.fault = std::move(fault);
}

// The newest segment may be growing: what is not whole there is not there yet.
void check_links(Report& report, const Segment& segment, const std::filesystem::path& path, bool is_newest) {
  if (segment.head.before != report.head)
    blame(report, fmt::format("{}: does not follow from the segment before it", path.string()));
  if (!segment.broken.empty() && !(is_newest && segment.broken.ends_with("cut short"))) blame(report, segment.broken);
  report.head = segment.last;
  report.bytes += segment.size;
  ++report.segments;
}

void compare(Report& report, const Decoder::Decoded& decoded) {
  ++report.records;
  if (!report.first) report.first = decoded.record.time;
  report.last = decoded.record.time;
  for (std::size_t i = 0; i < decoded.record.entries.size(); ++i) {
    const Entry& entry = decoded.record.entries[i];
    report.decisions += decoded.outcomes[i].size();
    if (digest_of(decoded.outcomes[i]) == entry.digest) continue;
    ++report.differing;
    blame(report, fmt::format("{}: {} {}: the round gives another outcome than was written",
                              format_time(decoded.record.time), entry.device, to_string(entry.subject)));
  }
}

void replay_segment(Report& report, const Segment& segment, const std::filesystem::path& path, const Range& range) {
  Decoder decoder;
  for (const auto& payload : segment.payloads) {
    const auto decoded = decoder.decode(payload);
    if (!decoded) return blame(report, fmt::format("{}: {}", path.string(), decoded.error().message));
    if (decoded->record.time >= range.from && decoded->record.time <= range.to) compare(report, *decoded);
  }
}

// The newest of each; what `before` says of hosts where `decoded` says nothing.
Decoder::Decoded newest(Decoder::Decoded decoded, std::optional<Decoder::Decoded> before) {
  Decoder::Decoded all{.record = {decoded.record.time, decoded.record.policy_version, {}}};
  const auto take = [&](Decoder::Decoded& from, std::size_t i) {
    const auto& entry = from.record.entries[i];
    const auto is_same = [&](const Entry& other) {
      return other.device == entry.device && other.subject == entry.subject;
    };
    if (std::ranges::any_of(all.record.entries, is_same)) return;
    all.record.entries.push_back(std::move(from.record.entries[i]));
    all.outcomes.push_back(std::move(from.outcomes[i]));
  };
  for (std::size_t i = decoded.record.entries.size(); i-- > 0;) take(decoded, i);
  std::ranges::reverse(all.record.entries);
  std::ranges::reverse(all.outcomes);
  for (std::size_t i = 0; before && i < before->record.entries.size(); ++i)
    if (is_of_guests(before->record.entries[i].subject)) take(*before, i);
  return all;
}

// Calls `use` for each segment, oldest first.
Result<Report> walk(const std::filesystem::path& folder,
                    const std::function<void(Report&, const Segment&, const std::filesystem::path&)>& use) {
  const auto numbers = segments(folder);
  if (!numbers) return tl::unexpected(numbers.error());
  const auto begin = beginning(folder);
  if (!begin) return tl::unexpected(begin.error());
  Report report{.anchor = *begin, .head = *begin};
  for (const auto number : *numbers) {
    const auto path = segment_path(folder, number);
    const auto segment = read_segment(path);
    if (!segment) return tl::unexpected(segment.error());
    check_links(report, *segment, path, number == numbers->back());
    use(report, *segment, path);
  }
  return report;
}

}  // namespace

Result<Report> verify(const std::filesystem::path& folder) {
  return walk(folder, [](Report& report, const Segment& segment, const std::filesystem::path&) {
    report.records += segment.payloads.size();
    if (!segment.payloads.empty() && !report.first) report.first = segment.head.begin;
  });
}

Result<Report> replay(const std::filesystem::path& folder, const Range& range) {
  return walk(folder, [&](Report& report, const Segment& segment, const std::filesystem::path& path) {
    if (segment.head.begin <= range.to) replay_segment(report, segment, path, range);
  });
}

Result<Decoder::Decoded> record_at(const std::filesystem::path& folder, UnixNanos time) {
  const auto numbers = segments(folder);
  if (!numbers) return tl::unexpected(numbers.error());
  std::optional<UnixNanos> oldest;
  for (auto number = numbers->rbegin(); number != numbers->rend(); ++number) {
    const auto head = read_head(segment_path(folder, *number));
    if (!head) return tl::unexpected(head.error());
    oldest = head->begin;
    if (head->begin > time) continue;
    const auto segment = read_segment(segment_path(folder, *number));
    if (!segment) return tl::unexpected(segment.error());
    Decoder decoder;
    std::optional<Decoder::Decoded> found;
    for (const auto& payload : segment->payloads) {
      auto decoded = decoder.decode(payload);
      if (!decoded) return tl::unexpected(decoded.error());
      if (decoded->record.time > time) break;
      found = newest(std::move(*decoded), std::move(found));
    }
    if (found) return std::move(*found);
  }
  return fail(ErrorCode::kNotFound,
              oldest ? fmt::format("the audit begins at {}, after {}", format_time(*oldest), format_time(time))
                     : std::string("the audit holds nothing yet"));
}

}  // namespace foreflow::audit
