// SPDX-License-Identifier: Apache-2.0
#include "host/store/influx_store.h"

#include <algorithm>
#include <atomic>
#include <mutex>

#include <fmt/format.h>

#include "common/files.h"
#include "common/log.h"
#include "host/store/check.h"
#include "host/store/disk_buffer.h"
#include "host/store/http.h"
#include "host/store/influx_answer.h"
#include "host/store/influx_query.h"
#include "host/store/influx_sender.h"
#include "host/store/journal_record.h"
#include "host/store/line_protocol.h"
#include "host/store/watermarks.h"

namespace foreflow::store {
namespace {

Status check_config(const InfluxConfig& config) {
  const auto wrong = [](std::string message) { return fail(ErrorCode::kInvalidConfig, std::move(message)); };
  const bool http = config.url.starts_with("http://"), https = config.url.starts_with("https://");
  if (!http && !https)
    return wrong(fmt::format("InfluxDB's url '{}' has to begin with http:// or https://", config.url));
  if (config.url.find_first_of("?#@ ") != std::string::npos)
    return wrong("InfluxDB's url takes a host, a port and a path; credentials go into username and password_file");
  if (config.database.empty() || config.database.size() > kLongestName || !is_utf8(config.database))
    return wrong("InfluxDB's database needs a name of at most 256 bytes");
  if (config.username.empty() != config.password_file.empty())
    return wrong("InfluxDB's username and password_file go together");
  if (config.buffer.empty()) return wrong("InfluxDB's buffer needs a folder of its own");
  return {};
}

Result<HttpConfig> http_config(const InfluxConfig& config) {
  HttpConfig http;
  http.url = config.url;
  while (http.url.ends_with('/')) http.url.pop_back();
  http.ca = config.ca;
  http.username = config.username;
  if (!config.password_file.empty()) {
    auto password = read_secret(config.password_file);
    if (!password) return tl::unexpected(password.error());
    http.password = std::move(*password);
  }
  return http;
}

std::uint64_t count_lines(std::string_view lines) {
  return static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
}

}  // namespace

class InfluxStore::Impl {
 public:
  static Result<std::unique_ptr<Impl>> open(const InfluxConfig& config) {
    if (const auto good = check_config(config); !good) return tl::unexpected(good.error());
    auto http = http_config(config);
    if (!http) return tl::unexpected(http.error());
    std::unique_ptr<Impl> impl(new Impl(config, *http));
    if (const auto recovered = impl->recover(); !recovered) return tl::unexpected(recovered.error());
    InfluxSender::Config sender{*http,
                                config.database,
                                config.create_database,
                                config.first_retry,
                                config.longest_retry,
                                impl->watermark_file()};
    impl->sender_ = std::make_unique<InfluxSender>(std::move(sender), *impl->buffer_, impl->watermarks_);
    return impl;
  }

  ~Impl() {
    if (!sender_) return;
    stop_ = true;
    sender_->stop();
    // With nothing left to send, the next start has nothing to send again.
    if (sender_->sent() < buffer_->end()) return;
    const auto released = buffer_->release(
        buffer_->end(), [this] { return watermarks_.save(watermark_file()); }, /*all=*/true);
    if (!released) log::warning("the buffer could not be emptied", {{"error", released.error().message}});
  }

  Status append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
    if (const auto good = check(points, watermark); !good) return good;
    const auto lines = to_lines(points);
    const auto end = buffer_->append(encode_record({watermark, lines}));
    if (!end) return tl::unexpected(end.error());
    accepted_ += points.size();
    if (watermark) watermarks_.raise(*watermark);
    sender_->wake();
    return {};
  }

  Result<std::vector<Point>> query(const std::string& text, Measurement measurement, Resolution resolution) {
    if (const auto flushed = sender_->flush(buffer_->end(), config_.read_wait); !flushed)
      return tl::unexpected(flushed.error());
    const auto points = ask(text);
    if (!points) return tl::unexpected(points.error());
    const auto types = ask(types_query(measurement, resolution)).and_then(parse_types);
    if (!types) return tl::unexpected(types.error());
    return parse_points(*points, measurement, resolution, *types);
  }

  std::uint64_t watermark(const std::string& dataplane, std::uint64_t boot_id) const {
    return watermarks_.get(dataplane, boot_id);
  }

  Health health() const {
    // Read in this order, so that a point delivered meanwhile cannot make the difference negative.
    const auto delivered = sender_->delivered();
    const auto accepted = accepted_.load();
    // With an empty buffer nothing is pending, though points that rotted in it were never delivered.
    const bool pending = sender_->sent() < buffer_->end() && accepted > delivered;
    return Health{fmt::format("influxdb {} database {}", config_.url, config_.database),
                  pending ? accepted - delivered : 0, sender_->rejected(), sender_->last_error()};
  }

 private:
  Impl(const InfluxConfig& config, const HttpConfig& http) : config_(config), reader_(http, stop_) {}

  Result<std::string> ask(const std::string& text) {
    const auto form = fmt::format("db={}&epoch=ns&q={}", url_encode(config_.database), url_encode(text));
    const std::scoped_lock lock(reader_mutex_);
    auto answer = reader_.post("/query", form, "application/x-www-form-urlencoded");
    if (!answer) return tl::unexpected(answer.error());
    if (answer->status == 200) return std::move(answer->body);
    const auto code = answer->status == 401 || answer->status == 403 ? ErrorCode::kDenied : ErrorCode::kUnavailable;
    return fail(code, fmt::format("{}: the database answers HTTP {}: {}", config_.url, answer->status,
                                  short_reason(answer->body)));
  }

  std::filesystem::path watermark_file() const { return config_.buffer / "watermarks"; }

  Status recover() {
    std::uint64_t undecodable = 0;
    std::vector<Watermark> found;
    auto buffer = DiskBuffer::open({config_.buffer, config_.buffer_limit}, [&](std::string_view bytes) {
      const auto record = decode_record(bytes);
      if (!record) {
        ++undecodable;
        return;
      }
      accepted_ += count_lines(record->lines);
      if (record->watermark) found.push_back(*record->watermark);
    });
    if (!buffer) return tl::unexpected(buffer.error());
    buffer_ = std::move(*buffer);
    if (undecodable > 0) log::warning("the buffer has records of another version", {{"records", undecodable}});
    // The file is older than the buffer's records.
    if (const auto loaded = watermarks_.load(watermark_file()); !loaded) return loaded;
    for (const auto& watermark : found) watermarks_.raise(watermark);
    return {};
  }

  const InfluxConfig config_;
  std::atomic<bool> stop_{false};
  std::atomic<std::uint64_t> accepted_{0};
  Watermarks watermarks_;
  std::unique_ptr<DiskBuffer> buffer_;
  std::mutex reader_mutex_;
  HttpClient reader_;
  std::unique_ptr<InfluxSender> sender_;
};

Result<std::unique_ptr<InfluxStore>> InfluxStore::open(const InfluxConfig& config) {
  auto impl = Impl::open(config);
  if (!impl) return tl::unexpected(impl.error());
  return std::unique_ptr<InfluxStore>(new InfluxStore(std::move(*impl)));
}

InfluxStore::InfluxStore(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
InfluxStore::~InfluxStore() = default;

Status InfluxStore::append(const std::vector<Point>& points, const std::optional<Watermark>& watermark) {
  return impl_->append(points, watermark);
}

Result<std::vector<Point>> InfluxStore::range(const RangeQuery& query) {
  return impl_->query(range_query(query), query.measurement, query.resolution);
}

Result<std::optional<Point>> InfluxStore::last(Measurement measurement, const std::string& vm) {
  auto points = impl_->query(last_query(measurement, vm), measurement, Resolution::kRaw);
  if (!points) return tl::unexpected(points.error());
  if (points->empty()) return std::optional<Point>{};
  return std::optional(std::move(points->back()));
}

Result<std::uint64_t> InfluxStore::watermark(const std::string& dataplane, std::uint64_t boot_id) {
  return impl_->watermark(dataplane, boot_id);
}

SeriesStore::Health InfluxStore::health() const { return impl_->health(); }

}  // namespace foreflow::store
