// SPDX-License-Identifier: Apache-2.0
#include "host/store/line_delivery.h"

#include <algorithm>

#include <fmt/format.h>

#include "host/store/influx_answer.h"
#include "host/store/influx_query.h"

namespace foreflow::store {
namespace {

void add_reason(Delivery& delivery, std::string reason) {
  if (delivery.reasons.size() < Delivery::kMostReasons) delivery.reasons.push_back(std::move(reason));
}

void stop(Delivery& delivery, Outcome outcome, const std::string& reason) {
  delivery.outcome = outcome;
  delivery.reasons.assign(1, reason);
}

void reject(Delivery& delivery, std::uint64_t lines, std::string reason) {
  delivery.rejected += lines;
  add_reason(delivery, std::move(reason));
}

std::string joined(std::span<const std::string_view> lines) {
  std::string body;
  for (const auto line : lines) body.append(line).push_back('\n');
  return body;
}

}  // namespace

LineDelivery::LineDelivery(std::string database, bool create_database, Post post)
    : database_(std::move(database)), may_create_(create_database), post_(std::move(post)) {}

Delivery LineDelivery::deliver(std::span<const std::string_view> lines) {
  Delivery delivery;
  while (!lines.empty() && delivery.outcome == Outcome::kDone) {
    std::size_t count = 0, bytes = 0;
    while (count < lines.size() && count < kMostLines && (count == 0 || bytes + lines[count].size() < kMostBytes))
      bytes += lines[count++].size() + 1;
    send(lines.first(count), delivery);
    lines = lines.subspan(count);
  }
  if (delivery.outcome != Outcome::kDone) delivery.rejected = 0;  // counted when the batch is through
  return delivery;
}

void LineDelivery::send(std::span<const std::string_view> lines, Delivery& delivery) {
  const auto path = fmt::format("/write?db={}&precision=ns", url_encode(database_));
  const auto body = gzip(joined(lines));
  bool created = false;
  for (;;) {
    const auto http = post_(path, body, "text/plain; charset=utf-8", true);
    if (!http) return stop(delivery, Outcome::kLater, http.error().message);
    const auto answer = classify_answer(http->status, http->body);
    switch (answer.verdict) {
      case Verdict::kStored:
        return;
      case Verdict::kPartlyStored:
        return reject(delivery, std::min<std::uint64_t>(answer.rejected, lines.size()), answer.reason);
      case Verdict::kRefused:
        return reject(delivery, lines.size(), answer.reason);
      case Verdict::kSplit:
        return split(lines, delivery, answer.reason);
      case Verdict::kHold:
        return stop(delivery, Outcome::kHeld, answer.reason);
      case Verdict::kRetry:
        return stop(delivery, Outcome::kLater, answer.reason);
      case Verdict::kCreateDatabase:
        if (created) return stop(delivery, Outcome::kLater, answer.reason);
        created = create_database(delivery, answer.reason);
        if (!created) return;
    }
  }
}

void LineDelivery::split(std::span<const std::string_view> lines, Delivery& delivery, const std::string& reason) {
  if (lines.size() == 1) return reject(delivery, 1, reason);
  const auto half = lines.size() / 2;
  send(lines.first(half), delivery);
  if (delivery.outcome == Outcome::kDone) send(lines.subspan(half), delivery);
}

bool LineDelivery::create_database(Delivery& delivery, const std::string& reason) {
  if (!may_create_) {
    stop(delivery, Outcome::kHeld, reason + " (and creating it is not allowed)");
    return false;
  }
  const auto form = "q=" + url_encode("CREATE DATABASE " + quote_identifier(database_));
  const auto http = post_("/query", form, "application/x-www-form-urlencoded", false);
  if (!http) {
    stop(delivery, Outcome::kLater, http.error().message);
    return false;
  }
  // A refusal comes with status 200 and an error in the body.
  if (http->status == 200 && http->body.find("\"error\"") == std::string::npos) return true;
  stop(delivery, Outcome::kHeld,
       short_reason(fmt::format("creating the database: HTTP {}: {}", http->status, http->body)));
  return false;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    if (!line.empty()) lines.push_back(line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

}  // namespace foreflow::store
