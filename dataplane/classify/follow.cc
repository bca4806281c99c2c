// SPDX-License-Identifier: Apache-2.0
// FlowClassifier's other half: what is read of a flow once its protocol is known.
#include <algorithm>
#include <array>
#include <limits>

#include "common/units.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/classify/tls.h"
#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::uint8_t kMostHelloPayloads = 6;
constexpr std::uint8_t kMostCertificatePayloads = 10;
constexpr std::uint8_t kMostQuicPayloads = 8;
constexpr std::uint8_t kMostDnsPayloads = 16;
constexpr std::uint8_t kMostControlPayloads = 96;
constexpr std::uint8_t kMostMailPayloads = 24;
constexpr std::uint8_t kMostStunPayloads = 32;
constexpr std::uint8_t kMostHttpPayloads = 24;
constexpr std::uint8_t kMostQuestionPayloads = 8;
constexpr std::uint8_t kAnnouncedConfidence = 90;

std::uint32_t seconds(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kNanosPerSecond); }

bool is_handshake(net::Octets payload) noexcept {
  return is_tls_record(payload) && payload.u8(0) == static_cast<std::uint8_t>(TlsRecord::kHandshake);
}
bool starts_with_message(net::Octets payload, TlsMessage message) noexcept {
  return is_handshake(payload) && payload.u8(kTlsRecordHeader) == static_cast<std::uint8_t>(message);
}

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

bool FlowClassifier::follow(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  if (conversation.followed < std::numeric_limits<std::uint8_t>::max()) ++conversation.followed;
  switch (conversation.follow) {
    case Follow::kClientHello:
      return follow_client_hello(subject);
    case Follow::kCertificate:
      return follow_certificate(subject);
    case Follow::kQuic:
      return follow_quic(subject);
    case Follow::kDns:
      return follow_dns(subject);
    case Follow::kFtp:
      return follow_ftp(subject);
    case Follow::kMedia:
      return follow_media(subject);
    case Follow::kMail:
      return follow_mail(subject);
    case Follow::kStun:
      return follow_stun(subject);
    case Follow::kHttp:
      return follow_http(subject);
    case Follow::kNothing:
      break;
  }
  return true;
}

// Names the service; true when the host belongs to one.
bool FlowClassifier::take_name(Verdict& verdict, std::string_view host) const noexcept {
  const auto service = classifier_->service_of(host);
  if (service.app == 0) return false;
  verdict.app = service.app;
  verdict.category = service.category;
  verdict.source = Source::kName;
  return true;
}

// Adds a segment of `side` to the stream and returns what is there from its start on; empty without a buffer.
net::Octets FlowClassifier::collect(const Subject& subject, Side side) noexcept {
  auto& conversation = subject.conversation;
  const auto& packet = subject.packet;
  if (conversation.assembly == 0) {
    conversation.assembly = assemblies_.take(subject.ends.vm);
    if (conversation.assembly == 0) return {};
    assemblies_[conversation.assembly].first_sequence = packet.tcp_sequence;
  }
  auto& assembly = assemblies_[conversation.assembly];
  if (packet.sender == side) assembly.add(packet.tcp_sequence - assembly.first_sequence, packet.payload);
  return assembly.prefix();
}

// The client's message as far as it is known; empty without a buffer for one that comes in pieces.
net::Octets FlowClassifier::client_hello(const Subject& subject, bool& ended) noexcept {
  if (subject.conversation.assembly == 0) {
    const auto& payload = subject.packet.payload;
    const auto record = payload.part(kTlsRecordHeader, payload.be16(3));
    if (record.is_whole() && record.size() >= kTlsMessageHeader + record.be24(1)) return record;
  }
  const auto stream = collect(subject, subject.conversation.followed_side);
  const auto size = take_handshake(stream, message_, ended);
  return std::span<const std::uint8_t>(message_).first(size);
}

bool FlowClassifier::follow_client_hello(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& packet = subject.packet;
  if (conversation.followed == 1 && !starts_with_message(packet.payload, TlsMessage::kClientHello)) {
    if (!is_handshake(packet.payload)) return true;  // joined in the middle: nothing is in the clear any more
    conversation.client = other(packet.sender);
    conversation.follow = Follow::kCertificate;
    conversation.followed = 0;
    conversation.followed_side = packet.sender;
    return follow_certificate(subject);
  }
  if (conversation.followed == 1) conversation.client = packet.sender;
  bool ended = false;
  if (packet.sender == conversation.followed_side) {
    const auto message = client_hello(subject, ended);
    if (message.size() == 0) return true;
    const auto hello = read_client_hello(message);
    const bool is_awaited = !hello.is_complete && !ended && conversation.followed < kMostHelloPayloads;
    if (is_awaited && config_.fingerprints) return false;
    if (hello.is_complete) take_fingerprint(message, HelloOver::kTcp, hello.has_encrypted_hello);
    if (!hello.server_name.empty()) {
      conversation.verdict.has_name = true;
      // A name that may be made up is not believed before the certificate is seen.
      if (take_name(conversation.verdict, hello.server_name) || !is_made_up_name(hello.server_name, ".com"))
        return true;
    } else if (is_awaited) {
      return false;
    }
  } else if (conversation.followed < kMostHelloPayloads && !is_handshake(packet.payload)) {
    return false;
  }
  // No name: the server's certificate may have one.
  assemblies_.give_back(conversation.assembly);
  const auto client = conversation.followed_side;
  conversation.follow = Follow::kCertificate;
  conversation.followed = 0;
  conversation.followed_side = other(client);
  return packet.sender == other(client) && follow_certificate(subject);
}

void FlowClassifier::take_fingerprint(net::Octets message, HelloOver over, bool has_encrypted_hello) noexcept {
  if (!config_.fingerprints) return;
  if (const auto made = read_fingerprint(message, over)) hello_ = {*made, has_encrypted_hello};
}

// The service that a certificate is for: where its names belong to services of several kinds, the first of the kind
// that most of them have.
bool FlowClassifier::take_certificate(Verdict& verdict, net::Octets messages) const noexcept {
  std::array<Service, kCategories> first{};
  std::array<std::uint16_t, kCategories> count{};
  Category most = Category::kUnknown;
  visit_certificate_names(messages, [&](std::string_view name) {
    const auto service = classifier_->service_of(name);
    if (service.app == 0) return false;
    const auto kind = index(service.category);
    if (count[kind]++ == 0) first[kind] = service;
    if (most == Category::kUnknown || count[kind] > count[index(most)]) most = service.category;
    return false;
  });
  if (most == Category::kUnknown) return false;
  verdict.app = first[index(most)].app;
  verdict.category = most;
  verdict.source = Source::kName;
  return true;
}

bool FlowClassifier::follow_certificate(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& packet = subject.packet;
  if (packet.sender != conversation.followed_side) return conversation.followed >= kMostCertificatePayloads;
  const auto stream = collect(subject, conversation.followed_side);
  if (stream.size() == 0) return true;
  bool ended = false;
  const auto size = take_handshake(stream, message_, ended);
  const auto messages = net::Octets(std::span<const std::uint8_t>(message_).first(size));
  const bool has_name = take_certificate(conversation.verdict, messages);
  if (has_name) conversation.verdict.has_name = true;
  if (is_tor_certificate(messages)) {
    conversation.verdict.app = known_.tor;
    conversation.verdict.category = Category::kVpnTunnel;
    conversation.verdict.source = Source::kName;
  }
  return has_name || ended || assemblies_[conversation.assembly].is_full() ||
         conversation.followed >= kMostCertificatePayloads;
}

bool FlowClassifier::follow_quic(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& payload = subject.packet.payload;
  if (const auto name = google_quic_name(payload); !name.empty()) {
    conversation.client = subject.packet.sender;
    conversation.verdict.has_name = true;
    take_name(conversation.verdict, name);
    return true;
  }
  if (conversation.assembly == 0) conversation.assembly = assemblies_.take(subject.ends.vm);
  if (conversation.assembly == 0) return true;
  auto& assembly = assemblies_[conversation.assembly];
  if (quic_->read(payload, assembly.quic,
                  [&assembly](std::uint64_t offset, net::Octets bytes) { assembly.add(offset, bytes); })) {
    conversation.client = subject.packet.sender;
    const auto hello = read_client_hello(assembly.prefix());
    if (hello.is_complete) take_fingerprint(assembly.prefix(), HelloOver::kQuic, hello.has_encrypted_hello);
    const bool is_awaited = !hello.is_complete && config_.fingerprints;
    if (!hello.server_name.empty()) {
      conversation.verdict.has_name = true;
      take_name(conversation.verdict, hello.server_name);
    }
    if (!is_awaited && (!hello.server_name.empty() || hello.is_complete)) return true;
  }
  return conversation.followed >= kMostQuicPayloads;
}

bool FlowClassifier::follow_dns(const Subject& subject) noexcept {
  const auto& payload = subject.packet.payload;
  const auto message = subject.ends.ip_protocol == net::kTcp ? payload.part(2) : payload;
  const bool is_answer = (message.u8(2) & 0x80) != 0;
  auto& conversation = subject.conversation;
  if (is_answer && read_dns_addresses(message, answer_)) {
    const auto service = classifier_->service_of(answer_.question.view());
    for (std::size_t i = 0; i < answer_.count && service.app != 0; ++i)
      names_.put({answer_.addresses[i], 0, subject.ends.vm, 0}, seconds(subject.packet.time_ns), service);
  }
  // A resolver asks for A and AAAA at once. Where no question was seen, one more answer may follow.
  if (conversation.followed == 1 && is_answer) conversation.awaited = 2;
  if (!is_answer)
    ++conversation.awaited;
  else if (conversation.awaited > 0)
    --conversation.awaited;
  return conversation.awaited == 0 || conversation.followed >= kMostDnsPayloads;
}

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
  if (asks_for_tls(payload) || is_handshake(payload)) {
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
  if (!asks_for_tls(subject.packet.payload) && !is_handshake(subject.packet.payload))
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
  return verdict.has_name || verdict.category != Category::kWeb;
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

bool FlowClassifier::follow_stun(const Subject& subject) noexcept {
  const auto& payload = subject.packet.payload;
  const auto type = payload.u8(0);
  const bool is_dtls = type >= 20 && type <= 23 && payload.u8(1) == 0xfe && payload.u8(2) >= 0xfd;
  if (is_dtls) subject.conversation.verdict.protocol = known_.dtls;
  return is_dtls || subject.conversation.followed >= kMostStunPayloads;
}

}  // namespace foreflow::classify
