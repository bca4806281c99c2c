// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/flow_classifier.h"

namespace foreflow::classify {

Result<std::unique_ptr<FlowClassifier>> FlowClassifier::create(const Classifier& classifier,
                                                               const FlowClassifierConfig& config) {
  auto inspector = Inspector::create(classifier);
  if (!inspector) return tl::unexpected(inspector.error());
  return std::unique_ptr<FlowClassifier>(new FlowClassifier(classifier, std::move(*inspector), config));
}

FlowClassifier::FlowClassifier(const Classifier& classifier, Inspector inspector, const FlowClassifierConfig& config)
    : classifier_(classifier),
      inspector_(std::move(inspector)),
      config_(config),
      conversations_(std::size_t{config.conversations} + 1) {
  free_.reserve(config.conversations);
  for (ConversationId id = config.conversations; id > 0; --id) free_.push_back(id);
}

bool FlowClassifier::inspect(ConversationId& id, const FlowPacket& packet, Verdict& verdict) noexcept {
  if (id == 0) id = open();
  auto& conversation = conversations_[id];
  const auto& headers = packet.headers;
  const bool hints = config_.port_hints;
  verdict = inspector_.inspect(classifier_, {.bytes = {packet.payload.data(), packet.payload.size()},
                                             .ip_protocol = headers.ip_protocol,
                                             .source_port = hints ? headers.source_port : std::uint16_t{0},
                                             .destination_port = hints ? headers.destination_port : std::uint16_t{0},
                                             .suspected = conversation.suspected,
                                             .whole_size = static_cast<std::uint32_t>(packet.payload.whole_size())});
  conversation.suspected = verdict.suspected;
  ++conversation.inspected;
  const bool is_final = verdict.protocol != 0 || id == 0 || conversation.inspected >= config_.most_payloads;
  if (is_final) close(id);
  return is_final;
}

Verdict FlowClassifier::conclude(ConversationId& id) noexcept {
  close(id);
  return {};
}

ConversationId FlowClassifier::open() noexcept {
  if (free_.empty()) return ++exhausted_, 0;
  const auto id = free_.back();
  free_.pop_back();
  conversations_[id] = {};
  return id;
}

void FlowClassifier::close(ConversationId& id) noexcept {
  if (id != 0) free_.push_back(id);
  conversations_[0] = {};
  id = 0;
}

}  // namespace foreflow::classify
