// SPDX-License-Identifier: Apache-2.0
// Takes lines to an InfluxDB until each is stored or refused for good.
// Place: host/store; InfluxSender's work on one batch. Knows no thread, no clock and no curl.
#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "host/store/http.h"

namespace foreflow::store {

// POST of `body` to a path; HttpClient in the product.
using Post = std::function<Result<HttpAnswer>(std::string_view path, std::string_view body,
                                              std::string_view content_type, bool gzipped)>;

enum class Outcome : std::uint8_t {
  kDone,   // every line is stored or refused for good
  kLater,  // a passing failure: the whole batch has to come again
  kHeld,   // an operator has to act: the whole batch has to come again, without hurry
};

struct Delivery {
  Outcome outcome = Outcome::kDone;
  std::uint64_t rejected = 0;        // lines refused for good
  std::vector<std::string> reasons;  // why; at most kMostReasons
  static constexpr std::size_t kMostReasons = 8;
};

class LineDelivery {
 public:
  static constexpr std::size_t kMostLines = 5'000;  // of a request
  static constexpr std::size_t kMostBytes = 1u << 20;

  LineDelivery(std::string database, bool create_database, Post post);

  // Sending lines again that are stored already changes nothing, so a batch that failed half-way simply comes again.
  Delivery deliver(std::span<const std::string_view> lines);

 private:
  void send(std::span<const std::string_view> lines, Delivery& delivery);
  void split(std::span<const std::string_view> lines, Delivery& delivery, const std::string& reason);
  // Whether it exists now; otherwise the delivery says why not.
  bool create_database(Delivery& delivery, const std::string& reason);

  const std::string database_;
  const bool may_create_;
  const Post post_;
};

// The lines of a record, without their '\n'.
std::vector<std::string_view> split_lines(std::string_view text);

}  // namespace foreflow::store
