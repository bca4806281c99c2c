// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/flow_classifier.h"

#include <algorithm>

#include "common/units.h"
#include "dataplane/classify/refine.h"
#include "dataplane/classify/tls.h"
#include "dataplane/classify/validators.h"

namespace foreflow::classify {
namespace {

constexpr std::uint8_t kSure = 70;  // percent: a better word is not waited for
constexpr std::uint8_t kCachedConfidence = 60, kNetworkConfidence = 40;
constexpr std::uint32_t kNameLifetime = 3'600, kHostLifetime = 3'600, kChannelLifetime = 120;  // seconds
constexpr std::uint32_t kShapeLifetime = 60;
constexpr std::uint16_t kFirstEphemeralPort = 32'768;
constexpr std::uint32_t kExpectedChannels = 1'024;

std::uint32_t seconds(std::uint64_t now_ns) noexcept { return static_cast<std::uint32_t>(now_ns / kNanosPerSecond); }

RecentKey key_of(const FlowEnds& ends, Side side) noexcept {
  return {ends.address[side], ends.port[side], ends.vm, ends.ip_protocol};
}
RecentKey address_of(const FlowEnds& ends, Side side) noexcept { return {ends.address[side], 0, ends.vm, 0}; }

}  // namespace

Result<std::unique_ptr<FlowClassifier>> FlowClassifier::create(const FlowClassifierConfig& config) {
  auto quic = QuicDecoder::create();
  if (!quic) return tl::unexpected(quic.error());
  const auto known = KnownProtocols::find();
  if (!known) return tl::unexpected(known.error());
  std::unique_ptr<FlowClassifier> created(new FlowClassifier(std::move(*quic), config));
  created->known_ = *known;
  return created;
}

FlowClassifier::FlowClassifier(std::unique_ptr<QuicDecoder> quic, const FlowClassifierConfig& config)
    : quic_(std::move(quic)),
      config_(config),
      conversations_(config.conversations, config.conversations_per_vm),
      assemblies_(config.assemblies, config.assemblies_per_vm),
      names_(config.recent_names, kNameLifetime),
      hosts_(config.recent_hosts, kHostLifetime),
      channels_(kExpectedChannels, kChannelLifetime),
      shapes_(config.lone_shapes, kShapeLifetime) {}

bool FlowClassifier::inspect(ConversationId& id, const FlowEnds& ends, const FlowPacket& packet,
                             Verdict& verdict) noexcept {
  hello_.reset();
  const bool is_first = id == 0;
  if (is_first) id = conversations_.take(ends.vm);
  auto& conversation = conversations_[id];
  if (is_first) {
    if (id == 0) resume_alone(conversation, ends, packet.time_ns);
    conversation.client = ends.client;
    for (const Side side : {Side{0}, Side{1}})
      if (const auto* channel = channels_.find(key_of(ends, side), seconds(packet.time_ns))) {
        verdict = *channel;
        forget(id);
        return true;
      }
  }
  conversation.bytes += static_cast<std::uint32_t>(packet.payload.whole_size());
  const Subject subject{conversation, ends, packet};
  bool is_final = conversation.follow != Follow::kNothing ? follow(subject) : look(subject);
  if (id == 0) is_final = is_told_alone(conversation, ends, packet.time_ns);
  if (is_final) complete(conversation, ends, packet.time_ns);
  verdict = conversation.verdict;
  if (is_final || id == 0) forget(id);
  return is_final;
}

// Of a flow without a conversation nothing is known but what it has looked like so far.
void FlowClassifier::resume_alone(Conversation& conversation, const FlowEnds& ends, std::uint64_t now_ns) noexcept {
  conversation.reset();
  if (const auto* shape = shapes_.find(flow_key(ends), seconds(now_ns))) conversation.shape = *shape;
}

bool FlowClassifier::is_told_alone(const Conversation& conversation, const FlowEnds& ends,
                                   std::uint64_t now_ns) noexcept {
  if (conversation.verdict.protocol != 0) return true;  // what else it may say is not waited for
  shapes_.put(flow_key(ends), seconds(now_ns), conversation.shape);
  return false;
}

// A payload of a flow that is not known yet.
bool FlowClassifier::look(const Subject& subject) noexcept {
  auto& conversation = subject.conversation;
  const auto& [ends, packet] = std::tie(subject.ends, subject.packet);
  const bool hints = config_.port_hints;
  const auto sender = conversation.client == kUnknownSide    ? Sender::kUnknown
                      : conversation.client == packet.sender ? Sender::kClient
                                                             : Sender::kServer;
  const auto seen =
      inspector_->inspect(*classifier_, {.bytes = {packet.payload.data(), packet.payload.size()},
                                         .ip_protocol = ends.ip_protocol,
                                         .source_port = hints ? ends.port[packet.sender] : std::uint16_t{0},
                                         .destination_port = hints ? ends.port[other(packet.sender)] : std::uint16_t{0},
                                         .suspected = conversation.suspected,
                                         .sender = sender,
                                         .whole_size = static_cast<std::uint32_t>(packet.payload.whole_size())});
  conversation.suspected = seen.suspected;
  ++conversation.inspected;
  conversation.shape.add(packet.sender, packet.payload, packet.time_ns);
  if (seen.confidence > conversation.verdict.confidence) conversation.verdict = seen;
  if (seen.protocol == 0 || conversation.verdict.confidence < kSure) return is_spent(conversation);
  if (seen.protocol == known_.http && is_websocket_handshake(packet.payload))
    conversation.verdict.protocol = known_.websocket;
  conversation.follow = what_follows(conversation, packet.payload);
  conversation.followed_side = packet.sender;
  if (conversation.follow == Follow::kHttp) learn(conversation, ends, seconds(packet.time_ns));
  return conversation.follow == Follow::kNothing || follow(subject);
}

bool FlowClassifier::is_spent(const Conversation& conversation) const noexcept {
  return conversation.inspected >= config_.most_payloads || conversation.bytes >= config_.most_bytes;
}

Follow FlowClassifier::what_follows(const Conversation& conversation, net::Octets payload) const noexcept {
  const auto protocol = conversation.verdict.protocol;
  const bool is_named = conversation.verdict.app != 0 && !config_.fingerprints;
  if (protocol == known_.tls && is_named && !may_encrypt_hello(payload)) return Follow::kNothing;
  if (protocol == known_.tls) return Follow::kClientHello;
  if (protocol == known_.quic) return Follow::kQuic;
  if (protocol == known_.dns) return Follow::kDns;
  if (protocol == known_.ftp) return Follow::kFtp;
  if (protocol == known_.sip || protocol == known_.rtsp) return Follow::kMedia;
  if (protocol == known_.smtp || protocol == known_.imap || protocol == known_.pop3) return Follow::kMail;
  if (protocol == known_.stun) return Follow::kStun;
  const bool is_database = protocol == known_.postgres || protocol == known_.mysql || protocol == known_.mssql;
  if (is_database && announces_tls(payload)) return Follow::kUpgrade;
  const bool is_plain = conversation.verdict.category == Category::kWeb && !conversation.verdict.has_name;
  if (protocol == known_.http && is_plain) return Follow::kHttp;
  return Follow::kNothing;
}

Verdict FlowClassifier::conclude(ConversationId& id, const FlowEnds& ends, std::uint64_t now_ns) noexcept {
  if (id == 0) {
    const auto* shape = shapes_.find(flow_key(ends), seconds(now_ns));
    return shape != nullptr ? without_payload(*shape, ends, now_ns) : guess(ends, now_ns);
  }
  auto& conversation = conversations_[id];
  complete(conversation, ends, now_ns);
  const auto verdict = conversation.verdict;
  forget(id);
  return verdict;
}

Verdict FlowClassifier::guess(const FlowEnds& ends, std::uint64_t now_ns) const noexcept {
  constexpr std::uint8_t kScanConfidence = 20;  // it may as well be an idle connection, or the end of a capture
  auto verdict = known_or_by_port(ends, now_ns);
  const bool was_asked_for = ends.ip_protocol == net::kTcp && ends.client != kUnknownSide;
  if (was_asked_for) take_behaviour(verdict, {Behaviour::kScan, kScanConfidence});
  return verdict;
}

Verdict FlowClassifier::known_or_by_port(const FlowEnds& ends, std::uint64_t now_ns) const noexcept {
  auto verdict = known_of(ends, seconds(now_ns));
  if (verdict.protocol == 0) verdict = by_port(ends);
  if (verdict.protocol == 0 || may_be_anything(verdict)) take_network(verdict, ends);
  return verdict;
}

// The web's carriers, of which only a name or an address says what they are for.
bool FlowClassifier::may_be_anything(const Verdict& verdict) const noexcept {
  return verdict.app == 0 && !verdict.has_name &&
         (verdict.protocol == known_.tls || verdict.protocol == known_.quic || verdict.protocol == known_.http);
}

// Plain HTTP says itself what it is for.
void FlowClassifier::take_network(Verdict& verdict, const FlowEnds& ends) const noexcept {
  if (verdict.protocol == known_.http) return;
  for (const Side side : {Side{0}, Side{1}})
    if (const auto service = classifier_->service_at(ends.address[side]); service.app != 0) {
      verdict.app = service.app;
      verdict.category = service.category;
      verdict.source = Source::kNetwork;
      verdict.confidence = std::max(verdict.confidence, kNetworkConfidence);
      return;
    }
}

// What the flow looks like, beside a port's guess or in place of any. It names no category: taking real time for a call
// gained nothing, since games and tunnels look the same.
void FlowClassifier::take_behaviour(Verdict& verdict, BehaviourGuess guess) noexcept {
  if (guess.behaviour == Behaviour::kNone || verdict.source == Source::kCached) return;
  verdict.behaviour = guess.behaviour;
  if (verdict.protocol != 0 || verdict.source == Source::kNetwork) return;
  verdict.source = Source::kBehaviour;
  verdict.confidence = guess.confidence;
}

// Adds what is known from elsewhere, and learns from what the payload said.
void FlowClassifier::complete(Conversation& conversation, const FlowEnds& ends, std::uint64_t now_ns) noexcept {
  auto& verdict = conversation.verdict;
  const auto now = seconds(now_ns);
  if (verdict.protocol == 0) {
    verdict = without_payload(conversation.shape, ends, now_ns);
    return;
  }
  if (may_be_anything(verdict)) {
    const auto cached = known_of(ends, now);
    const auto* service = name_known_of(ends, now);
    if (cached.protocol == verdict.protocol && cached.app != 0) {
      verdict.app = cached.app;
      verdict.category = cached.category;
      verdict.source = Source::kCached;
    } else if (service != nullptr) {
      verdict.app = service->app;
      verdict.category = service->category;
      verdict.source = Source::kCached;
    } else {
      take_network(verdict, ends);
    }
  }
  refine_by_group(verdict, known_, ends);
  if (config_.port_hints) refine_by_port(verdict, known_, ends, server_of(ends, conversation.client));
  learn(conversation, ends, now);
  if (conversation.follow == Follow::kShape)
    take_behaviour(verdict, conversation.shape.guess(ends.ip_protocol == net::kUdp));
}

Verdict FlowClassifier::without_payload(const PacketShape& shape, const FlowEnds& ends,
                                        std::uint64_t now_ns) const noexcept {
  auto verdict = known_or_by_port(ends, now_ns);
  take_behaviour(verdict, shape.guess(ends.ip_protocol == net::kUdp));
  return verdict;
}

// Of who serves at this end, for flows to come.
void FlowClassifier::learn(const Conversation& conversation, const FlowEnds& ends, std::uint32_t now) noexcept {
  const auto server = server_of(ends, conversation.client);
  const auto& verdict = conversation.verdict;
  if (server != kUnknownSide && verdict.confidence >= kSure) hosts_.put(key_of(ends, server), now, verdict);
}

// The end whose port names a service: who did not open the connection, else the lower port. Unknown when both ports are
// of the kind that hosts give away.
Side FlowClassifier::server_of(const FlowEnds& ends, Side client) const noexcept {
  if (client != kUnknownSide) return other(client);
  if (ends.port[0] == ends.port[1]) return kUnknownSide;
  const Side lower = ends.port[0] < ends.port[1] ? Side{0} : Side{1};
  return ends.port[lower] < kFirstEphemeralPort ? lower : kUnknownSide;
}

Verdict FlowClassifier::known_of(const FlowEnds& ends, std::uint32_t now) const noexcept {
  for (const Side side : {Side{0}, Side{1}})
    if (const auto* known = hosts_.find(key_of(ends, side), now)) {
      auto verdict = *known;
      verdict.confidence = std::min(verdict.confidence, kCachedConfidence);
      verdict.source = Source::kCached;
      return verdict;
    }
  return {};
}

const Service* FlowClassifier::name_known_of(const FlowEnds& ends, std::uint32_t now) const noexcept {
  for (const Side side : {Side{0}, Side{1}})
    if (const auto* service = names_.find(address_of(ends, side), now)) return service;
  return nullptr;
}

Verdict FlowClassifier::by_port(const FlowEnds& ends) const noexcept {
  if (!config_.port_hints) return {};
  const Side lower = ends.port[0] < ends.port[1] ? Side{0} : Side{1};
  const auto verdict = classifier_->by_port(ends.ip_protocol, ends.port[lower]);
  return verdict.protocol != 0 ? verdict : classifier_->by_port(ends.ip_protocol, ends.port[other(lower)]);
}

void FlowClassifier::forget_addresses() noexcept {
  names_.clear();
  hosts_.clear();
  channels_.clear();
  shapes_.clear();
}

void FlowClassifier::forget_addresses(std::uint16_t vm) noexcept {
  names_.clear(vm);
  hosts_.clear(vm);
  channels_.clear(vm);
  shapes_.clear(vm);
}

void FlowClassifier::forget(ConversationId& id) noexcept {
  assemblies_.give_back(conversations_[id].assembly);
  conversations_.give_back(id);
}

}  // namespace foreflow::classify
