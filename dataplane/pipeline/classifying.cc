// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/classifying.h"

#include <algorithm>
#include <cassert>

namespace foreflow::pipeline {
namespace {

// Of the two ends that the classifier knows, 0 is the VM's.
constexpr classify::Side kLocal = 0, kRemote = 1;

classify::Side client_of(const flow::FlowRecord& record) noexcept {
  switch (record.opener) {
    case flow::Opener::kLocal:
      return kLocal;
    case flow::Opener::kRemote:
      return kRemote;
    default:
      return classify::kUnknownSide;
  }
}

classify::FlowEnds ends_and_client_of(const flow::FlowRecord& record) noexcept {
  auto ends = ends_of(record.key);
  ends.client = client_of(record);
  return ends;
}

void write(flow::FlowRecord& record, const classify::Verdict& verdict) noexcept {
  record.protocol = verdict.protocol;
  record.category = static_cast<std::uint8_t>(verdict.category);
  record.confidence = verdict.confidence;
  record.source = static_cast<std::uint8_t>(verdict.source);
  if (record.decided != 0) record.show(static_cast<std::uint8_t>(verdict.behaviour), verdict.has_encrypted_hello);
}

}  // namespace

Result<Classifying> Classifying::create(const classify::FlowClassifierConfig& config) {
  assert(config.conversations <= kMostConversations);
  auto engine = classify::FlowClassifier::create(config);
  if (!engine) return tl::unexpected(engine.error());
  Classifying made;
  made.engine_ = std::move(*engine);
  made.counters_ = std::make_unique<Exhausted>();
  if (config.fingerprints) made.fingerprints_ = std::make_unique<Fingerprints>();
  return made;
}

void Classifying::use(Signatures* signatures, std::uint16_t worker) noexcept {
  is_on_ = engine_ != nullptr && signatures != nullptr;
  if (is_on_) engine_->use(*signatures->classifier, signatures->inspectors[worker]);
}

void Classifying::look(flow::FlowRecord& record, const net::Parsed& parsed, std::span<const std::uint8_t> bytes,
                       Direction direction, std::uint64_t now_ns) noexcept {
  if (!is_on_ || parsed.payload_offset >= bytes.size()) return;
  const auto present = bytes.subspan(parsed.payload_offset);
  const classify::FlowPacket packet{
      .payload = {present.first(std::min<std::size_t>(present.size(), parsed.payload_size)), parsed.payload_size},
      .sender = direction == Direction::kEgress ? kLocal : kRemote,
      .tcp_sequence = parsed.tcp_sequence,
      .time_ns = now_ns};
  classify::ConversationId conversation = record.app;
  classify::Verdict verdict;
  record.decided = engine_->inspect(conversation, ends_and_client_of(record), packet, verdict);
  if (const auto* hello = engine_->hello(); hello != nullptr && fingerprints_)
    fingerprints_->put(record.key, hello->fingerprint, now_ns);
  // Without a conversation the record itself counts what was looked at.
  if (record.decided == 0 && conversation == 0 && ++record.shown >= engine_->config().most_payloads) {
    // Without who asked for it: it did speak, so it is not one that was never answered.
    verdict = engine_->conclude(conversation, ends_of(record.key), now_ns);
    record.decided = 1;
  }
  record.app = record.decided ? verdict.app : conversation;
  write(record, verdict);
  counters_->conversations.raise(engine_->conversations_exhausted());
  counters_->buffers.raise(engine_->assemblies_exhausted());
}

void Classifying::restart(flow::FlowRecord& record) noexcept {
  classify::ConversationId conversation = record.decided != 0 ? 0 : record.app;
  if (engine_ && conversation != 0) engine_->forget(conversation);
  record.decided = 0;
  record.shown = 0;
  record.app = 0;
  if (fingerprints_) fingerprints_->forget(record.key);
  write(record, {});
}

void Classifying::ended(const flow::FlowRecord& record, std::uint64_t now_ns) noexcept {
  if (record.decided != 0 || record.app == 0) return;
  classify::ConversationId conversation = record.app;
  if (is_on_)
    engine_->conclude(conversation, ends_and_client_of(record), now_ns);
  else
    engine_->forget(conversation);
}

void Classifying::forget(vm::Slot slot) noexcept {
  if (engine_) engine_->forget_addresses(slot);
  if (fingerprints_) fingerprints_->forget(slot);
}

}  // namespace foreflow::pipeline
