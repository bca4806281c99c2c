// SPDX-License-Identifier: Apache-2.0
// FlowClassifier's third part: what is read of protocols of text once they are known.
#include <algorithm>

#include "common/units.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/classify/tls.h"
#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::uint8_t kMostControlPayloads = 96;
constexpr std::uint8_t kMostMailPayloads = 24;
constexpr std::uint8_t kMostHttpPayloads = 24;
constexpr std::uint8_t kMostQuestionPayloads = 8;
constexpr std::uint8_t kAnnouncedConfidence = 90;

std::uint32_t seconds(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kNanosPerSecond); }

// A server's word: a reply code (RFC 5321, 4.2.1), "* " and "+ " of IMAP, "+OK" of POP3. Clients of IMAP number their
// lines, so a digit alone says nothing.
bool is_reply(std::string_view text) noexcept {
  if (text.starts_with('*') || text.starts_with('+')) return true;
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() > 3 && text[0] >= '2' && text[0] <= '5' && is_digit(text[1]) && is_digit(text[2]) &&
         (text[3] == ' ' || text[3] == '-');
}

// A line of the client that asks for TLS, or TLS itself (RFC 3207, RFC 2595, RFC 4217). Servers only offer it.
bool asks_for_tls(net::Octets payload) noexcept {
  auto text = payload.text().substr(0, 64);
  if (is_reply(text)) return false;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  const auto space = text.rfind(' ');
  auto word = space == std::string_view::npos ? text : text.substr(space + 1);
  const auto is = [&word](std::string_view wanted) {
    return std::equal(word.begin(), word.end(), wanted.begin(), wanted.end(),
                      [](char a, char b) { return (a & ~0x20) == b; });
  };
  if (is("STARTTLS") || is("STLS")) return true;
  return (is("TLS") || is("SSL")) && (text.starts_with("AUTH ") || text.starts_with("auth "));
}

}  // namespace

void FlowClassifier::expect(const Channels& channels, const Subject& subject, ProtocolId protocol, Category category,
                            std::uint8_t ip_protocol) noexcept {
  const Verdict verdict{
      .protocol = protocol, .category = category, .confidence = kAnnouncedConfidence, .source = Source::kCached};
  const auto& ends = subject.ends;
  for (std::size_t i = 0; i < channels.count; ++i) {
    const auto& channel = channels.all[i];
    const auto put = [&](const net::IpAddress& address) {
      channels_.put({address, channel.port, ends.vm, ip_protocol}, seconds(subject.packet.time_ns), verdict);
    };
    // Behind a translator the address in the text is not the one on the wire.
    put(ends.address[0]), put(ends.address[1]);
    if (channel.has_address) put(channel.address);
  }
}

bool FlowClassifier::follow_ftp(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& payload = subject.packet.payload;
  expect(read_ftp_announcement(payload), subject, known_.ftp_data, Category::kFileTransfer, net::kTcp);
  if (asks_for_tls(payload) || is_tls_handshake(payload)) {
    conversation.verdict.protocol = known_.ftps;
    return true;
  }
  return conversation.followed >= kMostControlPayloads;
}

bool FlowClassifier::follow_media(const Subject& subject) noexcept {
  expect(read_media_announcement(subject.packet.payload), subject, known_.rtp, Category::kVoipConferencing, net::kUdp);
  return subject.conversation.followed >= kMostControlPayloads;
}

bool FlowClassifier::follow_mail(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  if (!asks_for_tls(subject.packet.payload) && !is_tls_handshake(subject.packet.payload))
    return conversation.followed >= kMostMailPayloads;
  auto& protocol = conversation.verdict.protocol;
  protocol = protocol == known_.smtp ? known_.smtps : protocol == known_.imap ? known_.imaps : known_.pops;
  return true;
}

// What fields say of the host and the purpose. True when nothing is left to ask.
bool FlowClassifier::take_fields(Verdict& verdict, net::Octets message) const noexcept {
  const auto seen = validate_http1(message);
  if (seen.confirmed && !seen.name.empty()) {
    verdict.has_name = true;
    take_name(verdict, seen.name);
  }
  if (seen.confirmed && seen.category != Category::kUnknown) verdict.category = seen.category;
  if (seen.confirmed && is_websocket_handshake(message)) verdict.protocol = known_.websocket;
  return verdict.protocol == known_.websocket || verdict.has_name || verdict.category != Category::kWeb;
}

// A question whose fields go on in the next segment: only then a buffer is taken.
bool FlowClassifier::follow_question(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& packet = subject.packet;
  if (packet.sender != conversation.followed_side) return true;  // answered: no host was named
  const auto ends = [](net::Octets message) { return message.text().find("\r\n\r\n") != std::string_view::npos; };
  if (!packet.payload.is_whole() || (conversation.followed == 1 && ends(packet.payload))) return true;
  const auto question = collect(subject, conversation.followed_side);
  return question.size() == 0 || take_fields(conversation.verdict, question) || ends(question) ||
         assemblies_[conversation.assembly].is_full() || conversation.followed >= kMostQuestionPayloads;
}

// Without the question's Host: a name or a purpose in any of the first answers, or in a later question.
bool FlowClassifier::follow_http(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& payload = subject.packet.payload;
  const bool is_answer = payload.part(0, 7).text() == "HTTP/1.";
  if (conversation.assembly != 0 || (!is_answer && conversation.followed == 1)) return follow_question(subject);
  return take_fields(conversation.verdict, payload) || conversation.followed >= kMostHttpPayloads;
}

}  // namespace foreflow::classify
