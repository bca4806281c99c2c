// SPDX-License-Identifier: Apache-2.0
// The operator's rules for a part of a VM's traffic, as the packet path carries them out: first match wins.
// Place: dataplane/pipeline. Lists belong to a snapshot; the VM's owner applies them.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include <rte_mbuf.h>

#include "common/category.h"
#include "dataplane/net/parse.h"
#include "dataplane/offload/treatment.h"
#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/outbox.h"

namespace foreflow::pipeline {

// Strongest first: by priority, then by id.
using TreatmentList = std::vector<offload::SoftwareTreatment>;

// The first of the list that the packet matches; null when there is none. `category`: of its flow, so far.
const offload::SoftwareTreatment* find_treatment(const TreatmentList& list, const net::Parsed& packet,
                                                 Category category) noexcept;

class Treater {
 public:
  // `pool`: of copies.
  Treater(Books& books, Outbox& outbox, rte_mempool* pool) : books_(books), outbox_(outbox), pool_(pool) {}

  enum class Fate : std::uint8_t { kGoesOn, kDrop, kNoBuffer };
  // Counts, marks and mirrors the packet. `packet` may become another one with the same content, where its bytes were
  // shared with a copy. What is not kGoesOn the caller drops.
  Fate apply(const offload::SoftwareTreatment& treatment, rte_mbuf*& packet, const net::Parsed& parsed) noexcept;

 private:
  bool mark(rte_mbuf*& packet, const net::Parsed& parsed, std::uint8_t dscp) noexcept;
  void mirror(const offload::SoftwareTreatment& treatment, const rte_mbuf* packet) noexcept;

  Books& books_;
  Outbox& outbox_;
  rte_mempool* pool_;
};

}  // namespace foreflow::pipeline
