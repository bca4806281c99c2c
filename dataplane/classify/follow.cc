// SPDX-License-Identifier: Apache-2.0
// FlowClassifier's second part: what is read of TLS, QUIC, DNS and STUN once they are known.
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
constexpr std::uint8_t kMostStunPayloads = 32;
constexpr std::uint8_t kMostUpgradePayloads = 4;

std::uint32_t seconds(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kNanosPerSecond); }

bool starts_with_message(net::Octets payload, TlsMessage message) noexcept {
  return is_tls_handshake(payload) && payload.u8(kTlsRecordHeader) == static_cast<std::uint8_t>(message);
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
    case Follow::kUpgrade:
      return follow_upgrade(subject);
    case Follow::kHttp:
      return follow_http(subject);
    case Follow::kShape:
      return follow_shape(subject);
    case Follow::kNothing:
      break;
  }
  return true;
}

// What was to be read cannot be: there is no buffer for it.
bool FlowClassifier::watch_instead(Conversation& conversation) noexcept {
  conversation.follow = Follow::kShape;
  return false;
}

bool FlowClassifier::follow_shape(const Subject& subject) noexcept {
  auto& shape = subject.conversation.shape;
  shape.add(subject.packet.sender, subject.packet.payload, subject.packet.time_ns);
  return shape.is_full();
}

// A database stays one whatever its server is called; only what carries anything is told by the service.
void FlowClassifier::take_service(Verdict& verdict, const Service& service) noexcept {
  verdict.app = service.app;
  if (verdict.category == Category::kWeb) verdict.category = service.category;
  verdict.source = Source::kName;
}

// Names the service; true when the host belongs to one.
bool FlowClassifier::take_name(Verdict& verdict, std::string_view host) const noexcept {
  const auto service = classifier_->service_of(host);
  if (service.app == 0) return false;
  take_service(verdict, service);
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
    if (!is_tls_handshake(packet.payload)) return true;  // joined in the middle: nothing is in the clear any more
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
    if (message.size() == 0) return conversation.assembly != 0 || watch_instead(conversation);
    const auto hello = read_client_hello(message);
    const bool is_awaited = !hello.is_complete && !ended && conversation.followed < kMostHelloPayloads;
    conversation.verdict.has_encrypted_hello |= hello.has_encrypted_hello;
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
  } else if (conversation.followed < kMostHelloPayloads && !is_tls_handshake(packet.payload)) {
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

// The client's hello behind a database's own words: TDS wraps it into packets of its own (MS-TDS, 2.2.6.5).
bool FlowClassifier::follow_upgrade(const Subject& subject) noexcept {
  constexpr std::uint8_t kTdsPrelogin = 0x12;
  constexpr std::size_t kTdsHeader = 8;
  auto& conversation = subject.conversation;
  auto packet = subject.packet;
  if (conversation.verdict.protocol == known_.mssql && packet.payload.u8(0) == kTdsPrelogin) {
    packet.payload = packet.payload.part(kTdsHeader);
    packet.tcp_sequence += kTdsHeader;
  }
  if (!starts_with_message(packet.payload, TlsMessage::kClientHello))
    return conversation.followed >= kMostUpgradePayloads;
  conversation.follow = Follow::kClientHello;
  conversation.followed = 1;
  conversation.followed_side = packet.sender;
  return follow_client_hello({conversation, subject.ends, packet});
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
  take_service(verdict, first[index(most)]);
  return true;
}

bool FlowClassifier::follow_certificate(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& packet = subject.packet;
  if (packet.sender != conversation.followed_side) return conversation.followed >= kMostCertificatePayloads;
  const auto stream = collect(subject, conversation.followed_side);
  if (stream.size() == 0) return conversation.assembly != 0 || watch_instead(conversation);
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
  if (conversation.assembly == 0) return watch_instead(conversation);
  auto& assembly = assemblies_[conversation.assembly];
  if (quic_->read(payload, assembly.quic,
                  [&assembly](std::uint64_t offset, net::Octets bytes) { assembly.add(offset, bytes); })) {
    conversation.client = subject.packet.sender;
    const auto hello = read_client_hello(assembly.prefix());
    conversation.verdict.has_encrypted_hello |= hello.has_encrypted_hello;
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

bool FlowClassifier::follow_stun(const Subject& subject) noexcept {
  const auto& payload = subject.packet.payload;
  const auto type = payload.u8(0);
  const bool is_dtls = type >= 20 && type <= 23 && payload.u8(1) == 0xfe && payload.u8(2) >= 0xfd;
  if (is_dtls) subject.conversation.verdict.protocol = known_.dtls;
  return is_dtls || subject.conversation.followed >= kMostStunPayloads;
}

}  // namespace foreflow::classify
