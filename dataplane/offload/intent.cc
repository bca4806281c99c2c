// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/intent.h"

namespace foreflow::offload {

IntentDelta difference(const IntentSet& applied, const IntentSet& desired) {
  IntentDelta delta;
  for (const auto& [id, intent] : desired) {
    if (const auto it = applied.find(id); it == applied.end() || it->second != intent) delta.set.push_back(intent);
  }
  for (const auto& [id, intent] : applied) {
    if (!desired.contains(id)) delta.clear.push_back(id);
  }
  return delta;
}

}  // namespace foreflow::offload
