// SPDX-License-Identifier: Apache-2.0
// Shows the payloads of flows without a verdict to the flow classifier, and writes what it says into their records.
// Place: dataplane/pipeline, called by the flow tracker; the engine behind it is foreflow-classify's. One worker owns
// it; its counters are read by the control thread.
// Until a flow is decided its record's `app` holds the id of its conversation, so that state is found without a search
// and is gone with the verdict. A flow for which there is none is judged payload by payload. Fingerprints of TLS
// clients are kept beside the records, for the flows that showed one last.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "common/counter.h"
#include "common/result.h"
#include "dataplane/classify/flow_classifier.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/net/parse.h"
#include "dataplane/pipeline/fingerprints.h"
#include "dataplane/pipeline/snapshot.h"

namespace foreflow::pipeline {

class Classifying {
 public:
  static constexpr std::uint32_t kMostConversations = 0xffff;  // that an id in a record can tell apart

  // Classifies nothing.
  Classifying() = default;
  // `config.conversations` is at most kMostConversations.
  static Result<Classifying> create(const classify::FlowClassifierConfig& config);

  // `signatures` may be null: nothing is classified from now on. `worker` names the scratch space.
  void use(Signatures* signatures, std::uint16_t worker) noexcept;

  // A packet with a payload of a flow that is not decided. `bytes`: the contiguous start of its frame.
  void look(flow::FlowRecord& record, const net::Parsed& parsed, std::span<const std::uint8_t> bytes,
            Direction direction, std::uint64_t now_ns) noexcept;
  // Another conversation begins between the same ends.
  void restart(flow::FlowRecord& record) noexcept;
  // The flow ends; what it showed so far still tells of its ends.
  void ended(const flow::FlowRecord& record, std::uint64_t now_ns) noexcept;
  // The slot gets another VM; its flows have been removed.
  void forget(vm::Slot slot) noexcept;

  // Of TLS clients; null where none are made. Stays where it is.
  const Fingerprints* fingerprints() const noexcept { return fingerprints_.get(); }

  // Payloads for which there was no conversation, and flows that got no reassembly buffer, since the start.
  std::uint64_t without_conversation() const noexcept { return counters_ ? counters_->conversations.read() : 0; }
  std::uint64_t without_buffer() const noexcept { return counters_ ? counters_->buffers.read() : 0; }

 private:
  struct Exhausted {  // apart, since counters do not move
    Counter conversations;
    Counter buffers;
  };

  std::unique_ptr<classify::FlowClassifier> engine_;
  std::unique_ptr<Exhausted> counters_;
  std::unique_ptr<Fingerprints> fingerprints_;  // null: none are made
  bool is_on_ = false;
};

}  // namespace foreflow::pipeline
