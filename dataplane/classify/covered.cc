// SPDX-License-Identifier: Apache-2.0
// How many protocols a classifier can name. Not for the packet path.
#include <set>

#include "dataplane/classify/database.h"

namespace foreflow::classify {

std::size_t Classifier::covered_protocols() const {
  std::set<ProtocolId> covered;
  for (const auto& rule : database_->rules) covered.insert(rule.protocol);
  for (const auto& numbered : database_->ip_protocols)
    if (numbered.protocol != 0) covered.insert(numbered.protocol);
  return covered.size();
}

}  // namespace foreflow::classify
