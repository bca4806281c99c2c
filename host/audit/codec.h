// SPDX-License-Identifier: Apache-2.0
// Records as bytes, each as what differs from the one before it.
// Place: host/audit, between Record and the log's blocks. docs/formats.md has the layout.
//
// What a round would say by itself costs nothing: a member whose `previous` and `installed` are the outcome of the
// round before, a round equal to the one before but for its time.
#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "host/audit/entry.h"

namespace foreflow::audit {

// What one side knows of each device and subject from the records so far.
struct Known {
  allocate::Round round;
  std::vector<Note> notes;
  std::map<VmId, allocate::Outcome> outcomes;
  std::set<VmId> following;  // guests that had what the round before had decided
  Digest digest{};
};
using Memory = std::map<std::pair<std::string, Subject>, Known>;

// Thread safety: none. A fresh one writes a snapshot: a record that needs nothing before it.
class Encoder {
 public:
  // `outcomes[i]` are those of entries[i]; they are not written, but what follows is told from them.
  std::string encode(const Record& record, const std::vector<std::vector<allocate::Outcome>>& outcomes);

 private:
  Memory memory_;
};

// Solves each round to know what the next one builds on.
class Decoder {
 public:
  struct Decoded {
    Record record;
    std::vector<std::vector<allocate::Outcome>> outcomes;  // of each entry, computed now
  };
  // kMalformed: not what an Encoder wrote, or after other records; kInternal: a round that cannot be solved.
  Result<Decoded> decode(std::string_view bytes);

 private:
  Memory memory_;
};

}  // namespace foreflow::audit
