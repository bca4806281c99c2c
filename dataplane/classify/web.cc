// SPDX-License-Identifier: Apache-2.0
// HTTP/1 (RFC 9112), the start of HTTP/2 (RFC 9113).
#include <algorithm>
#include <array>
#include <cctype>

#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::size_t kMostHeaderLines = 64;

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_word(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}
bool starts_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() >= word.size() && same_word(text.substr(0, word.size()), word);
}
bool contains_word(std::string_view text, std::string_view word) noexcept {
  return std::search(text.begin(), text.end(), word.begin(), word.end(),
                     [](char x, char y) { return lower(x) == lower(y); }) != text.end();
}
bool ends_with_word(std::string_view text, std::string_view word) noexcept {
  return text.size() >= word.size() && same_word(text.substr(text.size() - word.size()), word);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes a line off `text`. `complete`: its end was there.
struct Line {
  std::string_view text;
  bool complete = false;
};
Line take_line(std::string_view& text) noexcept {
  const auto end = text.find('\n');
  Line line{text.substr(0, end), end != std::string_view::npos};
  text.remove_prefix(line.complete ? end + 1 : text.size());
  if (line.text.ends_with('\r')) line.text.remove_suffix(1);
  return line;
}

// Segments and playlists of HTTP Live Streaming (RFC 8216) and MPEG-DASH (ISO/IEC 23009-1). The sources of programs end
// in .ts too, but not in a number before it, as segments do.
bool is_media_path(std::string_view target) noexcept {
  const auto path = target.substr(0, target.find_first_of("?#"));
  constexpr std::string_view kTransportStream = ".ts";
  constexpr std::array<std::string_view, 4> kSuffixes{".m3u8", ".m3u", ".m4s", ".mpd"};
  if (ends_with_word(path, kTransportStream) && path.size() > kTransportStream.size())
    return std::isdigit(static_cast<unsigned char>(path[path.size() - kTransportStream.size() - 1])) != 0;
  return std::any_of(kSuffixes.begin(), kSuffixes.end(),
                     [path](std::string_view suffix) { return ends_with_word(path, suffix); });
}

// Also Smooth Streaming's manifests (MS-SSTR), Adobe's (HDS), RTSP inside of HTTP.
bool is_media_type(std::string_view type) noexcept {
  constexpr std::array<std::string_view, 6> kTypes{"video/",
                                                   "audio/",
                                                   "application/dash+xml",
                                                   "application/vnd.ms-sstr+xml",
                                                   "application/f4m+xml",
                                                   "application/x-rtsp-tunnelled"};
  return contains_word(type, "mpegurl") || std::any_of(kTypes.begin(), kTypes.end(), [type](std::string_view start) {
           return starts_with_word(type, start);
         });
}

// What a header field says of the purpose, by a service's or a program's specification. It says more than the type of
// the document.
struct Mark {
  std::string_view field;  // its name; its start when it ends with '-'
  std::string_view value;  // somewhere in it; "" = any
  Category category;
};
constexpr Mark kMarks[]{
    // Gnutella's transfers (HUGE, THEX, partial files) and programs; BitTorrent's tracker (BEP 3) in a redirect.
    {"x-gnutella-", "", Category::kP2p},
    {"x-content-urn", "urn:", Category::kP2p},
    {"x-thex-uri", "", Category::kP2p},
    {"server", "shareaza", Category::kP2p},
    {"server", "limewire", Category::kP2p},
    {"server", "gtk-gnutella", Category::kP2p},
    {"server", "bearshare", Category::kP2p},
    {"location", "info_hash=", Category::kP2p},
    // Shoutcast and Icecast.
    {"icy-", "", Category::kVideo},
    // JSON-RPC over HTTP, gRPC-Web.
    {"content-type", "application/json-rpc", Category::kMessagingQueue},
    {"content-type", "application/grpc", Category::kMessagingQueue},
    // WeChat's MMTLS in single requests: all its answers are files of this name.
    {"content-disposition", "filename=micromsgresp.dat", Category::kChat},
};

const Mark* find_mark(std::string_view name, std::string_view value) noexcept {
  const auto* mark = std::find_if(std::begin(kMarks), std::end(kMarks), [&](const Mark& one) {
    const bool is_field = one.field.ends_with('-') ? starts_with_word(name, one.field) : same_word(name, one.field);
    return is_field && contains_word(value, one.value);
  });
  return mark != std::end(kMarks) ? mark : nullptr;
}

// A server may set cookies for its own host or a domain above it only (RFC 6265, 5.3).
std::string_view cookie_domain(std::string_view cookie) noexcept {
  constexpr std::string_view kDomain = "domain=";
  for (auto at = cookie.find(';'); at != std::string_view::npos; at = cookie.find(';')) {
    cookie = cookie.substr(at + 1);
    const auto attribute = trimmed(cookie.substr(0, cookie.find(';')));
    if (!starts_with_word(attribute, kDomain)) continue;
    auto domain = attribute.substr(kDomain.size());
    if (domain.starts_with('.')) domain.remove_prefix(1);
    return domain;
  }
  return {};
}

std::string_view without_port(std::string_view host) noexcept {
  if (host.starts_with('[')) return {};  // an address is no name
  return host.substr(0, host.find(':'));
}

// METHOD SP target SP HTTP/1.x; a line that goes on in the next segment is trusted if its target can only be HTTP's.
bool read_request_line(const Line& line, Finding& finding) noexcept {
  const auto target_at = line.text.find(' ') + 1;
  const auto target_end = line.text.rfind(' ');
  if (target_at == 0 || target_at >= line.text.size()) return false;
  if (line.complete && (target_end < target_at || !line.text.substr(target_end + 1).starts_with("HTTP/1.")))
    return false;
  const auto target = line.complete ? line.text.substr(target_at, target_end - target_at) : line.text.substr(target_at);
  if (!line.complete && !target.starts_with('/') && !starts_with_word(target, "http")) return false;
  if (line.complete && is_media_path(target)) finding.category = Category::kVideo;
  return true;
}

// `mark`: of a field before.
void read_header(std::string_view line, Finding& finding, const Mark*& mark) noexcept {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const auto name = line.substr(0, colon);
  const auto value = trimmed(line.substr(colon + 1));
  if (same_word(name, "host")) finding.name = without_port(value);
  if (same_word(name, "set-cookie") && finding.name.empty()) finding.name = cookie_domain(value);
  if (mark == nullptr) mark = find_mark(name, value);
  if (mark != nullptr)
    finding.category = mark->category;
  else if (same_word(name, "content-type") && is_media_type(value))
    finding.category = Category::kVideo;
}

}  // namespace

Finding validate_http1(net::Octets payload) noexcept {
  auto rest = payload.text();
  Finding finding(true);
  const auto first = take_line(rest);
  const bool is_response = first.text.starts_with("HTTP/1.");
  if (!is_response && !read_request_line(first, finding)) return false;
  const Mark* mark = nullptr;
  for (std::size_t lines = 0; lines < kMostHeaderLines && !rest.empty(); ++lines) {
    const auto line = take_line(rest);
    if (line.text.empty() || !line.complete) break;
    read_header(line.text, finding, mark);
  }
  return finding;
}

// RFC 6455, 4.1 and 4.2.2: a GET or the answer 101 whose Upgrade field is "websocket", in whatever case.
bool is_websocket_handshake(net::Octets payload) noexcept {
  auto rest = payload.text();
  if (!rest.starts_with("GET ") && !rest.starts_with("HTTP/1.1 101")) return false;
  if (rest.find("ocket") == std::string_view::npos) return false;  // most have none: no line is looked at
  take_line(rest);
  for (std::size_t lines = 0; lines < kMostHeaderLines && !rest.empty(); ++lines) {
    const auto line = take_line(rest);
    const auto colon = line.text.find(':');
    if (!line.complete || colon == std::string_view::npos) return false;
    if (same_word(line.text.substr(0, colon), "upgrade") &&
        same_word(trimmed(line.text.substr(colon + 1)), "websocket"))
      return true;
  }
  return false;
}

Finding validate_http2_settings(net::Octets payload) noexcept {
  constexpr std::uint8_t kSettings = 4, kMostFrameType = 0x10;
  constexpr std::uint16_t kMostSetting = 0x10;
  const auto size = payload.be24(0);
  if (payload.u8(3) != kSettings || payload.u8(4) != 0 || payload.be32(5) != 0 || size % 6 != 0 || size > 16 * 6)
    return false;
  if (!payload.has(9, size)) return false;
  for (std::size_t at = 9; at < 9 + size; at += 6)
    if (payload.be16(at) == 0 || payload.be16(at) > kMostSetting) return false;
  const auto next = payload.part(9 + size);
  return next.size() == 0 || (next.has(0, 9) && next.u8(3) <= kMostFrameType && (next.u8(5) & 0x80) == 0);
}

}  // namespace foreflow::classify
