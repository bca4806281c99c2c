// SPDX-License-Identifier: Apache-2.0
// Names flows: keeps what a flow has shown until its first payloads give a verdict, then forgets it.
// Place: dataplane/classify; one for each worker of the dataplane and one in foreflow-classify. One worker owns it.
// Memory is taken at construction; nothing is allocated per packet. A conversation is open from a flow's first payload
// to its verdict; when none is free, or the VM has its quota, the flow is judged payload by payload, and by what its
// packets look like, which is kept apart for some thousand flows. So is one for whose hello no buffer is free.
// Conversations and what was learned of addresses outlive the signatures: ids mean the same in all of them. Evidence,
// best first: the payload, a name in it; what an earlier flow, a DNS answer or an announcement said of the same end
// (kCached); whose address it is (kNetwork); the port alone, where hints are allowed; what its packets look like
// (kBehaviour).
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "common/result.h"
#include "dataplane/classify/announcement.h"
#include "dataplane/classify/assembly.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/classify/conversation.h"
#include "dataplane/classify/dns.h"
#include "dataplane/classify/fingerprint.h"
#include "dataplane/classify/known_protocols.h"
#include "dataplane/classify/quic.h"
#include "dataplane/classify/quota_pool.h"
#include "dataplane/classify/recent.h"

namespace foreflow::classify {

struct FlowClassifierConfig {
  std::uint32_t conversations = 65'535;  // open at once
  std::uint32_t conversations_per_vm = 65'535;
  std::uint16_t assemblies = 1'024;  // buffers of 2 KB
  std::uint16_t assemblies_per_vm = 256;
  std::uint8_t most_payloads = 10;     // shown to patterns before a flow stays unknown
  std::uint32_t most_bytes = 32'768;   // likewise
  std::uint32_t recent_names = 8'192;  // addresses of which a DNS answer told the service
  std::uint32_t recent_hosts = 8'192;  // ends of flows that were recognised
  std::uint32_t lone_shapes = 4'096;   // flows without a conversation that are told by what they look like
  bool port_hints = true;
  bool fingerprints = false;  // of TLS clients; hellos are then read whole
};

// Names an open conversation; 0 = none. The caller keeps it with the flow.
using ConversationId = std::uint32_t;

class FlowClassifier {
 public:
  static Result<std::unique_ptr<FlowClassifier>> create(const FlowClassifierConfig& config);

  // The signatures that judge from now on, and scratch space made for them; both outlive their use here. To be called
  // before anything else. Open conversations go on.
  void use(const Classifier& classifier, Inspector& inspector) noexcept {
    classifier_ = &classifier;
    inspector_ = &inspector;
  }

  // Looks at a flow's next payload; `id` is 0 for its first. True when the verdict is final: `id` is 0 again and the
  // flow's payloads need not be shown any more. `verdict`: the best so far.
  bool inspect(ConversationId& id, const FlowEnds& ends, const FlowPacket& packet, Verdict& verdict) noexcept;

  // Of the client whose hello the payload that was inspected last has completed; null when it completed none.
  const HelloEvidence* hello() const noexcept { return hello_ ? &*hello_ : nullptr; }

  // The flow ended before a final verdict, or is not looked at any more: the best that can be said. `id` is 0
  // afterwards.
  Verdict conclude(ConversationId& id, const FlowEnds& ends, std::uint64_t now_ns) noexcept;

  // The flow ended and goes without a word of its own; `id` is 0 afterwards.
  void forget(ConversationId& id) noexcept;

  // Of a flow without any payload: what is known of its ends.
  Verdict guess(const FlowEnds& ends, std::uint64_t now_ns) const noexcept;

  // Forgets what was learned of addresses: another capture begins.
  void forget_addresses() noexcept;
  // The same of one VM: its number gets another one.
  void forget_addresses(std::uint16_t vm) noexcept;

  // Payloads that found none free, or the VM at its quota.
  std::uint64_t conversations_exhausted() const noexcept { return conversations_.exhausted(); }
  std::uint64_t assemblies_exhausted() const noexcept { return assemblies_.exhausted(); }
  const FlowClassifierConfig& config() const noexcept { return config_; }

 private:
  struct Subject {
    Conversation& conversation;
    const FlowEnds& ends;
    const FlowPacket& packet;
  };

  FlowClassifier(std::unique_ptr<QuicDecoder> quic, const FlowClassifierConfig& config);

  void resume_alone(Conversation& conversation, const FlowEnds& ends, std::uint64_t now_ns) noexcept;
  bool is_told_alone(const Conversation& conversation, const FlowEnds& ends, std::uint64_t now_ns) noexcept;
  bool look(const Subject& subject) noexcept;
  bool is_spent(const Conversation& conversation) const noexcept;
  Follow what_follows(const Conversation& conversation, net::Octets payload) const noexcept;
  void complete(Conversation& conversation, const FlowEnds& ends, std::uint64_t now_ns) noexcept;
  Verdict without_payload(const PacketShape& shape, const FlowEnds& ends, std::uint64_t now_ns) const noexcept;
  void learn(const Conversation& conversation, const FlowEnds& ends, std::uint32_t seconds) noexcept;
  static void take_behaviour(Verdict& verdict, BehaviourGuess guess) noexcept;
  Verdict known_or_by_port(const FlowEnds& ends, std::uint64_t now_ns) const noexcept;
  Side server_of(const FlowEnds& ends, Side client) const noexcept;
  Verdict known_of(const FlowEnds& ends, std::uint32_t seconds) const noexcept;
  Verdict by_port(const FlowEnds& ends) const noexcept;
  bool may_be_anything(const Verdict& verdict) const noexcept;
  void take_network(Verdict& verdict, const FlowEnds& ends) const noexcept;
  const Service* name_known_of(const FlowEnds& ends, std::uint32_t seconds) const noexcept;

  // follow.cc, follow_text.cc: each returns true when nothing more is awaited.
  bool follow(const Subject& subject) noexcept;
  static bool follow_shape(const Subject& subject) noexcept;
  static bool watch_instead(Conversation& conversation) noexcept;
  bool follow_client_hello(const Subject& subject) noexcept;
  void take_fingerprint(net::Octets message, HelloOver over, bool has_encrypted_hello) noexcept;
  net::Octets client_hello(const Subject& subject, bool& ended) noexcept;
  bool follow_certificate(const Subject& subject) noexcept;
  bool follow_quic(const Subject& subject) noexcept;
  bool follow_dns(const Subject& subject) noexcept;
  bool follow_ftp(const Subject& subject) noexcept;
  bool follow_media(const Subject& subject) noexcept;
  bool follow_mail(const Subject& subject) noexcept;
  bool follow_stun(const Subject& subject) noexcept;
  bool follow_upgrade(const Subject& subject) noexcept;
  bool follow_http(const Subject& subject) noexcept;
  bool follow_question(const Subject& subject) noexcept;
  net::Octets collect(const Subject& subject, Side side) noexcept;
  static void take_service(Verdict& verdict, const Service& service) noexcept;
  bool take_name(Verdict& verdict, std::string_view host) const noexcept;
  bool take_fields(Verdict& verdict, net::Octets message) const noexcept;
  bool take_certificate(Verdict& verdict, net::Octets messages) const noexcept;
  void expect(const Channels& channels, const Subject& subject, ProtocolId protocol, Category category,
              std::uint8_t ip_protocol) noexcept;

  const Classifier* classifier_ = nullptr;
  Inspector* inspector_ = nullptr;
  std::unique_ptr<QuicDecoder> quic_;
  FlowClassifierConfig config_;
  KnownProtocols known_{};
  QuotaPool<Conversation, ConversationId> conversations_;  // [0] is for flows that found none free
  AssemblyPool assemblies_;
  Recent<Service> names_;
  Recent<Verdict> hosts_;
  Recent<Verdict> channels_;
  Recent<PacketShape> shapes_;               // of flows without a conversation
  std::array<std::uint8_t, 2'048> message_;  // a handshake without its record headers
  DnsAddresses answer_;
  std::optional<HelloEvidence> hello_;
};

}  // namespace foreflow::classify
