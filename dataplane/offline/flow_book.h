// SPDX-License-Identifier: Apache-2.0
// The flows of one capture and what each was recognised as.
// Place: dataplane/offline. Memory grows with the flows of a file, not with its packets.
#pragma once
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dataplane/classify/flow_classifier.h"
#include "dataplane/offline/dissect.h"

namespace foreflow::offline {

// Both directions of a conversation: the lower address (then the lower port) is a.
struct FlowKey {
  net::IpAddress address_a, address_b;
  std::uint16_t port_a = 0, port_b = 0;  // 0 when the protocol has none
  std::uint8_t protocol = 0;
  std::uint8_t ip_version = 0;
  bool operator==(const FlowKey&) const = default;
};

FlowKey make_key(const net::Parsed& headers) noexcept;

struct Flow {
  FlowKey key;
  classify::Verdict verdict;
  classify::ConversationId conversation = 0;
  bool is_final = false;
  std::uint32_t inspected = 0;  // packets whose payload was looked at
};

class FlowBook {
 public:
  explicit FlowBook(classify::FlowClassifier& classifier) : classifier_(classifier) {}

  void add(const Dissected& packet);
  // Ends every flow. In the order of their first packets; valid until the next add().
  const std::vector<Flow>& conclude();

 private:
  struct Hash {
    std::size_t operator()(const FlowKey& key) const noexcept;
  };

  classify::FlowClassifier& classifier_;
  std::vector<Flow> flows_;
  std::unordered_map<FlowKey, std::size_t, Hash> places_;
};

}  // namespace foreflow::offline
