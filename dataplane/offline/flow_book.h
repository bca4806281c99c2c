// SPDX-License-Identifier: Apache-2.0
// The flows of one capture and what each was recognised as.
// Place: dataplane/offline. Memory grows with the flows of a file, not with its packets.
#pragma once
#include <cstdint>
#include <vector>

#include "dataplane/classify/flow_classifier.h"
#include "dataplane/offline/dissect.h"
#include "dataplane/offline/flow_index.h"

namespace foreflow::offline {

struct Flow {
  classify::FlowEnds ends;  // end 0 has the lower address, then the lower port
  std::uint8_t ip_version = 0;
  classify::Verdict verdict;
  classify::ConversationId conversation = 0;
  bool is_final = false;
  std::uint32_t inspected = 0;  // packets whose payload was looked at
  std::uint32_t hello = 0;      // its place among FlowBook::hellos(), and one; 0 = none was seen
};

class FlowBook {
 public:
  // Nothing that was learned from another capture is used.
  explicit FlowBook(classify::FlowClassifier& classifier) : classifier_(classifier) { classifier.forget_addresses(); }

  void add(const Dissected& packet, std::uint64_t time_ns);
  // Ends every flow. In the order of their first packets; valid until the next add().
  const std::vector<Flow>& conclude();
  // Of the TLS clients among the flows, where the classifier makes fingerprints.
  const std::vector<classify::HelloEvidence>& hellos() const noexcept { return hellos_; }

 private:
  classify::FlowClassifier& classifier_;
  std::vector<Flow> flows_;
  FlowIndex places_;
  std::vector<classify::HelloEvidence> hellos_;
  std::uint64_t last_ns_ = 0;
};

}  // namespace foreflow::offline
