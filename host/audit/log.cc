// SPDX-License-Identifier: Apache-2.0
#include "host/audit/log.h"

#include <charconv>
#include <numeric>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>

#include "common/log.h"
#include "host/audit/segment.h"

namespace foreflow::audit {
namespace {

std::filesystem::path anchor_path(const std::filesystem::path& folder) { return folder / "anchor"; }

Status make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  if (std::filesystem::create_directories(folder, error); error)
    return fail(ErrorCode::kIo, fmt::format("{}: {}", folder.string(), error.message()));
  return {};
}

// A block that a crash cut short never was; anything else that is broken is for people to look at.
Status repair(const std::filesystem::path& path, const Segment& segment, std::uint64_t size) {
  if (segment.size == size) return {};
  if (!segment.broken.ends_with("cut short"))
    return fail(ErrorCode::kMalformed, fmt::format("{}; move the folder away to begin a new log", segment.broken));
  log::warning("the audit's last block was cut short and is removed", {{"where", segment.broken}});
  const auto file = File::open(path, O_RDWR);
  if (!file) return tl::unexpected(file.error());
  return file->truncate(segment.size);
}

}  // namespace

Result<Anchor> read_anchor(const std::filesystem::path& folder) {
  const auto text = read_file(anchor_path(folder), 256);
  if (!text) return tl::unexpected(text.error());
  Anchor anchor;
  const auto space = text->find(' ');
  const auto [end, bad] = std::from_chars(text->data(), text->data() + std::min(space, text->size()), anchor.number);
  const auto hash = space == std::string::npos ? std::nullopt : from_hex(text->substr(space + 1, 2 * sizeof(Hash)));
  if (bad != std::errc() || end != text->data() + space || !hash)
    return fail(ErrorCode::kMalformed,
                fmt::format("{}: expected a number and a SHA-256", anchor_path(folder).string()));
  anchor.hash = *hash;
  return anchor;
}

Result<Log> Log::open(const std::filesystem::path& folder, const LogConfig& config) {
  if (auto made = make_folder(folder); !made) return tl::unexpected(made.error());
  const auto numbers = segments(folder);
  if (!numbers) return tl::unexpected(numbers.error());
  Log log(folder, config);
  const auto anchor = read_anchor(folder);
  if (!anchor && anchor.error().code != ErrorCode::kNotFound) return tl::unexpected(anchor.error());
  if (anchor) {
    log.number_ = anchor->number;
    log.head_ = anchor->hash;
  }
  std::error_code ignored;
  for (const auto number : *numbers)
    log.kept_.emplace_back(number, std::filesystem::file_size(segment_path(folder, number), ignored));
  if (numbers->empty()) return log;
  const auto path = segment_path(folder, numbers->back());
  const auto newest = read_segment(path);
  if (!newest) return tl::unexpected(newest.error());
  if (auto repaired = repair(path, *newest, log.kept_.back().second); !repaired)
    return tl::unexpected(repaired.error());
  log.kept_.back().second = newest->size;
  log.number_ = numbers->back();
  log.head_ = newest->last;
  return log;
}

// Its number is new also when the segment before holds nothing: names are never used twice.
Status Log::begin_segment(UnixNanos time) {
  file_ = File();
  const auto path = segment_path(folder_, number_ + 1);
  auto file = File::open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
  if (!file) return tl::unexpected(file.error());
  ++number_;
  const auto header = segment_header(number_, time, head_);
  if (auto written = file->write_all(header); !written) return written;
  file_ = std::move(*file);
  begin_ = time;
  encoder_ = {};
  kept_.emplace_back(number_, header.size());
  return sync_folder(folder_);
}

Status Log::append(const Record& record, const std::vector<std::vector<allocate::Outcome>>& outcomes) {
  const bool is_over = record.time.value - begin_.value >= static_cast<std::int64_t>(config_.segment_ns);
  if (!file_.is_open() || is_over || record.time < begin_) {
    if (auto begun = begin_segment(record.time); !begun) return begun;
    if (auto forgotten = truncate_history(record.time); !forgotten) return forgotten;
  }
  const auto payload = encoder_.encode(record, outcomes);
  const auto hash = chained(head_, payload);
  const auto bytes = block(payload, hash);
  auto written = file_.write_all(bytes);
  if (written) written = file_.sync_data();
  if (!written) {
    // Half a block must not stand before a whole one.
    if (auto cut = file_.truncate(kept_.back().second); !cut)
      log::error("the audit's half block stays", {{"reason", cut.error().message}});
    file_ = File();
    return written;
  }
  head_ = hash;
  kept_.back().second += bytes.size();
  return {};
}

Status Log::truncate_history(UnixNanos now) {
  const auto total = [&] {
    return std::accumulate(kept_.begin(), kept_.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const auto& segment) { return sum + segment.second; });
  };
  while (kept_.size() > 1) {
    // The oldest is out of date when the one behind it already is.
    const auto next = read_head(segment_path(folder_, kept_[1].first));
    const bool old = next && now.value - next->begin.value > static_cast<std::int64_t>(config_.retention_ns);
    if (!old && total() <= config_.most_bytes) return {};
    if (auto forgotten = forget_oldest(); !forgotten) return forgotten;
  }
  return {};
}

// The anchor is durable before the segment is gone, so that at no time a link of the chain is missing.
Status Log::forget_oldest() {
  const auto path = segment_path(folder_, kept_.front().first);
  const auto next = read_head(segment_path(folder_, kept_[1].first));
  if (!next) return tl::unexpected(next.error());
  if (auto kept = replace_file(anchor_path(folder_), fmt::format("{} {}\n", kept_.front().first, to_hex(next->before)));
      !kept)
    return kept;
  std::error_code error;
  std::filesystem::remove(path, error);
  if (error) return fail(ErrorCode::kIo, fmt::format("{}: {}", path.string(), error.message()));
  kept_.erase(kept_.begin());
  return sync_folder(folder_);
}

}  // namespace foreflow::audit
