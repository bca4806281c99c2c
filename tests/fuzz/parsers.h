// SPDX-License-Identifier: Apache-2.0
// Fuzz targets of the parsers below the inspector, each of them alone: patterns in front of them would keep most inputs
// away. As those in targets.h: any bytes, and they must return.
#pragma once
#include <algorithm>
#include <memory>

#include "dataplane/classify/announcement.h"
#include "dataplane/classify/behaviour.h"
#include "dataplane/classify/dns.h"
#include "dataplane/classify/fingerprint.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/classify/tls.h"
#include "dataplane/classify/validators.h"
#include "dataplane/offline/capture_file.h"
#include "dataplane/offline/inner.h"
#include "tests/fuzz/targets.h"
#include "tests/support/memory_file.h"

namespace foreflow::fuzz {

inline bool is_inside(std::string_view part, Input input) {
  const auto* begin = reinterpret_cast<const char*>(input.data());
  return part.empty() || (part.data() >= begin && part.data() + part.size() <= begin + input.size());
}

// Every validator, of the payload whole and as the start of a longer one.
inline void validators(Input input) {
  static const auto all = [] {
    std::vector<classify::Validator> found;
    for (const auto& name : classify::validator_names()) found.push_back(classify::find_validator(name));
    return found;
  }();
  for (const auto whole : {input.size(), input.size() + 700})
    for (const auto validator : all) require(is_inside(validator(net::Octets(input, whole)).name, input));
}

inline void tls(Input input) {
  std::array<std::uint8_t, 2'048> message;
  bool ended = false;
  const auto size = classify::take_handshake(input, message, ended);
  require(size <= message.size());
  const auto taken = Input(message).first(size);
  for (const auto bytes : {input, taken}) {
    const auto hello = classify::read_client_hello(bytes);
    require(is_inside(hello.server_name, bytes) && is_inside(hello.alpn, bytes));
    classify::visit_certificate_names(bytes, [bytes](std::string_view name) {
      require(!name.empty() && is_inside(name, bytes));
      return false;
    });
    classify::is_tor_certificate(bytes);
    classify::read_fingerprint(bytes, classify::HelloOver::kTcp);
  }
}

inline void quic(Input input) {
  static const auto decoder = [] {
    auto created = classify::QuicDecoder::create();
    require(created.has_value());
    return std::move(*created);
  }();
  classify::QuicKeys keys{};
  classify::Assembly assembly;
  decoder->read(input, keys, [&assembly](std::uint64_t offset, net::Octets bytes) { assembly.add(offset, bytes); });
  // What would stand behind the encryption, without it.
  net::Octets frames(input);
  for (classify::QuicFrame frame; frames.size() != 0 && classify::take_quic_frame(frames, frame);)
    if (frame.is_crypto) assembly.add(frame.offset, frame.bytes);
  require(assembly.prefix().size() <= classify::Assembly::kCapacity);
  classify::read_client_hello(assembly.prefix());
}

inline void dns(Input input) {
  classify::DnsAddresses answer;
  if (classify::read_dns_addresses(input, answer))
    require(answer.count > 0 && answer.count <= classify::DnsAddresses::kMost &&
            answer.question.size <= answer.question.text.size());
}

inline void announcement(Input input) {
  for (const auto& channels : {classify::read_ftp_announcement(input), classify::read_media_announcement(input)})
    for (std::size_t i = 0; i < channels.count; ++i) require(channels.all[i].port != 0);
}

// A byte chooses the link type; the rest is a frame, whole or cut.
inline void dissect(Input input) {
  if (input.empty()) return;
  const auto frame = input.subspan(1);
  for (const auto wire_size : {frame.size(), frame.size() + 900}) {
    offline::Dissected packet;
    if (!offline::dissect(input[0], frame, wire_size, packet)) continue;
    offline::enter_tunnels(packet);
    require(is_inside(packet.payload.text(), frame));
  }
}

// A file in memory, opened as any other.
inline void capture(Input input) {
  const test::MemoryFile file(input);
  auto opened = offline::CaptureFile::open(file.path());
  if (!opened) return require(!opened.error().message.empty());
  offline::CaptureFile::Frame frame;
  while (opened->next(frame)) {
    offline::Dissected packet;
    if (offline::dissect(opened->link_type(), frame.bytes, frame.wire_size, packet)) offline::enter_tunnels(packet);
  }
}

// One flow: a byte for transport and ports, then pieces, each with a byte for its sender and a way for sequence numbers
// to go, and one for its size.
inline void conversation(Input input) {
  static const auto flows = [] {
    auto created = classify::FlowClassifier::create({.conversations = 4, .assemblies = 4});
    require(created.has_value());
    (*created)->use(*engine().classifier, engine().inspector);
    return std::move(*created);
  }();
  if (input.empty()) return;
  classify::FlowEnds ends{.ip_protocol = (input[0] & 1) != 0 ? net::kTcp : net::kUdp};
  ends.port = {40'000, static_cast<std::uint16_t>(input[0] & 0xfe)};
  classify::ConversationId id = 0;
  classify::Verdict verdict;
  std::uint32_t sequence = 0xffff'ff00;
  std::uint64_t now = 1;
  for (auto rest = input.subspan(1); rest.size() > 2;) {
    const auto size = std::min<std::size_t>(rest[1] * 8u + 1u, rest.size() - 2);
    const auto piece = rest.subspan(2, size);
    flows->inspect(id, ends, {piece, static_cast<classify::Side>(rest[0] & 1), sequence, now}, verdict);
    require(verdict.confidence <= 100);
    sequence += static_cast<std::uint32_t>((rest[0] & 2) != 0 ? size : rest[0]);
    now += std::uint64_t{rest[0]} << 20;
    rest = rest.subspan(2 + size);
  }
  flows->conclude(id, ends, now);
  require(id == 0);
}

}  // namespace foreflow::fuzz
