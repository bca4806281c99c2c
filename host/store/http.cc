// SPDX-License-Identifier: Apache-2.0
#include "host/store/http.h"

#include <array>
#include <new>

#include <curl/curl.h>
#include <fmt/format.h>
#include <zlib.h>

namespace foreflow::store {
namespace {

// Once per process, before the first handle; libcurl asks for it.
void prepare_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)done;
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void add(const std::string& header) {
    if (auto* longer = curl_slist_append(list_, header.c_str())) list_ = longer;
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

}  // namespace

class HttpClient::Impl {
 public:
  Impl(HttpConfig config, const std::atomic<bool>& stop) : config_(std::move(config)), stop_(stop) {
    prepare_curl();
    handle_.reset(curl_easy_init());
    if (!handle_) throw std::bad_alloc();
    configure();
  }

  Result<HttpAnswer> post(std::string_view path, std::string_view body, std::string_view content_type, bool gzipped) {
    HeaderList headers;
    headers.add(fmt::format("Content-Type: {}", content_type));
    if (gzipped) headers.add("Content-Encoding: gzip");
    headers.add("Expect:");  // one round trip, not two
    set(CURLOPT_URL, (config_.url + std::string(path)).c_str());
    set(CURLOPT_HTTPHEADER, headers.get());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_POSTFIELDS, body.data());
    answer_ = {};
    overflow_ = false;
    reason_[0] = '\0';
    const CURLcode code = curl_easy_perform(handle_.get());
    set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
    if (overflow_)
      return fail(ErrorCode::kExhausted, fmt::format("{}: an answer of over {} bytes; ask for a shorter range",
                                                     config_.url, config_.largest_answer));
    if (code != CURLE_OK)
      return fail(ErrorCode::kUnavailable,
                  fmt::format("{}: {}", config_.url, reason_[0] != '\0' ? reason_.data() : curl_easy_strerror(code)));
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &answer_.status);
    return std::move(answer_);
  }

 private:
  struct Cleanup {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  };

  template <typename V>
  void set(CURLoption option, V value) {
    curl_easy_setopt(handle_.get(), option, value);
  }

  void configure() {
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_POST, 1L);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");  // the database is a neighbour; a proxy of the environment is meant for other things
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!config_.ca.empty()) set(CURLOPT_CAINFO, config_.ca.c_str());
    if (!config_.username.empty()) {
      set(CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      set(CURLOPT_USERNAME, config_.username.c_str());
      set(CURLOPT_PASSWORD, config_.password.c_str());
    }
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(config_.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(config_.timeout.count()));
    set(CURLOPT_ERRORBUFFER, reason_.data());
    set(CURLOPT_WRITEFUNCTION, &Impl::take_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &Impl::go_on);
    set(CURLOPT_XFERINFODATA, this);
  }

  static std::size_t take_body(char* data, std::size_t, std::size_t size, void* self) {
    auto& client = *static_cast<Impl*>(self);
    client.overflow_ = client.answer_.body.size() + size > client.config_.largest_answer;
    if (client.overflow_) return 0;
    client.answer_.body.append(data, size);
    return size;
  }

  static int go_on(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Impl*>(self)->stop_.load(std::memory_order_relaxed) ? 1 : 0;
  }

  const HttpConfig config_;
  const std::atomic<bool>& stop_;
  std::unique_ptr<CURL, Cleanup> handle_;
  HttpAnswer answer_;
  bool overflow_ = false;
  std::array<char, CURL_ERROR_SIZE> reason_{};
};

HttpClient::HttpClient(HttpConfig config, const std::atomic<bool>& stop)
    : impl_(std::make_unique<Impl>(std::move(config), stop)) {}
HttpClient::~HttpClient() = default;

Result<HttpAnswer> HttpClient::post(std::string_view path, std::string_view body, std::string_view content_type,
                                    bool gzipped) {
  return impl_->post(path, body, content_type, gzipped);
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain)
      out.push_back(c);
    else
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string gzip(std::string_view data) {
  constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for a gzip header
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string out(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);  // the bound is large enough for one call
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace foreflow::store
