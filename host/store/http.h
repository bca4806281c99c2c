// SPDX-License-Identifier: Apache-2.0
// POST over HTTP(S): libcurl's handle with an owner. Knows nothing of what it carries.
// Place: host/store; nothing else includes curl.h.
// Thread safety: none, one client per thread or a lock around it; `stop` from any thread.
#pragma once
#include <atomic>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.h"

namespace foreflow::store {

struct HttpConfig {
  std::string url;           // `http://host:port/prefix` or https (TLS >= 1.2), without a final '/'
  std::filesystem::path ca;  // PEM; empty = the system's
  std::string username;      // empty = no authentication
  std::string password;
  std::chrono::milliseconds connect_timeout{3'000};
  std::chrono::milliseconds timeout{30'000};
  std::size_t largest_answer = 256u << 20;
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

class HttpClient {
 public:
  // `stop` ends a running request when it becomes true.
  HttpClient(HttpConfig config, const std::atomic<bool>& stop);
  ~HttpClient();

  // kUnavailable: no answer, with curl's reason; kExhausted: the answer is larger than allowed.
  Result<HttpAnswer> post(std::string_view path, std::string_view body, std::string_view content_type,
                          bool gzipped = false);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// For query strings and forms.
std::string url_encode(std::string_view text);

std::string gzip(std::string_view data);

}  // namespace foreflow::store
