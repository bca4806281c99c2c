// SPDX-License-Identifier: Apache-2.0
// HTTP where a connection is joined late or its grammar is broken: responses that clients read all the same (RFC 9112),
// frames of HTTP/2 (RFC 9113, 4.1 and 6).
#include "dataplane/classify/validate/families.h"
#include "dataplane/classify/validate/shapes.h"

namespace foreflow::classify::validate {
namespace {

bool is_field_name(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || (c >= '0' && c <= '9');
  });
}

// A header field in one of the first lines; lines may end with either character, or with both.
Finding http_lenient(Octets payload) noexcept {
  constexpr int kMostLines = 6;
  auto rest = payload.part(0, 512).text();
  for (int i = 0; i < kMostLines; ++i) {
    const auto end = rest.find_first_of("\r\n");
    if (end == std::string_view::npos) return false;
    rest.remove_prefix(end);
    rest.remove_prefix(std::min(rest.find_first_not_of("\r\n"), rest.size()));
    if (is_field_name(rest.substr(0, std::min(rest.find(':'), rest.size()))) && rest.find(':') != rest.npos)
      return true;
  }
  return false;
}

// What a frame's type says about its size and stream; 0 = it is none.
std::size_t http2_frame(Octets frame) noexcept {
  constexpr std::size_t kHeader = 9, kUsualLargest = 1u << 14;
  const std::size_t size = frame.be24(0);
  const auto flags = frame.u8(4);
  const auto stream = frame.be32(5);
  bool fits = false;
  switch (frame.u8(3)) {
    case 0:  // DATA: END_STREAM, PADDED
      fits = stream != 0 && (flags & ~0x09u) == 0;
      break;
    case 1:  // HEADERS, of a stream that the client opened
      fits = (stream & 1) != 0 && (flags & ~0x2du) == 0 && size > 0;
      break;
    case 2:  // PRIORITY
      fits = stream != 0 && size == 5;
      break;
    case 3:  // RST_STREAM, with a code
      fits = stream != 0 && size == 4 && (!frame.has(kHeader, 4) || frame.be32(kHeader) <= 0x0d);
      break;
    case 4:  // SETTINGS
      fits = stream == 0 && (flags == 0 || (flags == 1 && size == 0)) && size % 6 == 0;
      break;
    case 6:  // PING
      fits = stream == 0 && size == 8 && flags <= 1;
      break;
    case 7:  // GOAWAY
      fits = stream == 0 && size >= 8;
      break;
    case 8:  // WINDOW_UPDATE
      fits = flags == 0 && size == 4 && is_within(frame.be32(kHeader), 1, 0x7fffffff);
      break;
    case 9:  // CONTINUATION
      fits = stream != 0 && (flags & ~0x04u) == 0;
      break;
    default:
      break;
  }
  return fits && (stream & 0x80000000) == 0 && size <= kUsualLargest ? size + kHeader : 0;
}
Finding http2_frames(Octets payload) noexcept {
  const auto first = http2_frame(payload);
  return first != 0 && first <= payload.whole_size() && is_stream_of(payload, 9, http2_frame);
}

constexpr Named kHttp[] = {{"http2_frames", http2_frames}, {"http_lenient", http_lenient}};

}  // namespace

Family http() noexcept { return kHttp; }

}  // namespace foreflow::classify::validate
