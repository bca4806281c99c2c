// SPDX-License-Identifier: Apache-2.0
// Names flows: keeps what a flow has shown until its first payloads give a verdict, then forgets it.
// Place: dataplane/classify; one for each worker of the dataplane and one in foreflow-classify. One worker owns it.
// Memory is taken at construction: a conversation is open from a flow's first payload to its verdict.
#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "common/result.h"
#include "dataplane/classify/classifier.h"
#include "dataplane/net/octets.h"
#include "dataplane/net/parse.h"

namespace foreflow::classify {

struct FlowClassifierConfig {
  std::uint32_t conversations = 65'536;  // open at once
  std::uint8_t most_payloads = 8;        // looked at before a flow stays unknown
  bool port_hints = true;
};

// A packet with a payload, and the flow it belongs to.
struct FlowPacket {
  const net::Parsed& headers;
  net::Octets payload;
};

// Names an open conversation; 0 = none. The owner keeps it with the flow.
using ConversationId = std::uint32_t;

class FlowClassifier {
 public:
  static Result<std::unique_ptr<FlowClassifier>> create(const Classifier& classifier,
                                                        const FlowClassifierConfig& config);

  // Looks at a flow's next payload. True when the verdict is final: `id` is 0 again and the flow's payloads need not be
  // shown any more. `id`: 0 for a flow's first payload. `verdict`: what is known so far.
  bool inspect(ConversationId& id, const FlowPacket& packet, Verdict& verdict) noexcept;

  // The flow ended, or nothing more is awaited: the best that can be said. `id` is 0 afterwards.
  Verdict conclude(ConversationId& id) noexcept;

  std::uint64_t exhausted() const noexcept { return exhausted_; }  // flows that found no free conversation

 private:
  struct Conversation {
    std::uint8_t inspected = 0;
    ProtocolId suspected = 0;
  };

  FlowClassifier(const Classifier& classifier, Inspector inspector, const FlowClassifierConfig& config);
  ConversationId open() noexcept;
  void close(ConversationId& id) noexcept;

  const Classifier& classifier_;
  Inspector inspector_;
  FlowClassifierConfig config_;
  std::vector<Conversation> conversations_;  // [0] is never open
  std::vector<ConversationId> free_;
  std::uint64_t exhausted_ = 0;
};

}  // namespace foreflow::classify
