// SPDX-License-Identifier: Apache-2.0
// From matches to one verdict: the best confirmed candidate, or none when two protocols are equally likely.
#include <algorithm>
#include <bitset>

#include "dataplane/classify/database.h"

namespace foreflow::classify {
namespace {

constexpr unsigned kPortBonus = 5;  // decides between near equals, and nothing else

struct Candidate {
  const Rule* rule = nullptr;
  unsigned score = 0;
  Finding finding;
  bool is_tied = false;
};

bool hints(const Rule& rule, const FirstPayload& payload) noexcept {
  return std::any_of(rule.ports.begin(), rule.ports.end(), [&payload](std::uint16_t port) {
    return port == payload.source_port || port == payload.destination_port;
  });
}

bool may_come_from(Sender sender, Speaker speaker) noexcept {
  return !(speaker == Speaker::kClient && sender == Sender::kServer) &&
         !(speaker == Speaker::kServer && sender == Sender::kClient);
}

// Of `best` so far and what matched.
void take_best(const Matches& matches, const std::vector<Rule>& rules, const FirstPayload& payload,
               Candidate& best) noexcept {
  for (std::size_t i = 0; i < matches.count; ++i) {
    const auto& rule = rules[matches.ids[i]];
    if (!may_come_from(payload.sender, rule.speaker)) continue;
    const auto score = rule.confidence + (hints(rule, payload) ? kPortBonus : 0u);
    if (score < best.score) continue;
    const auto finding =
        rule.validator == nullptr ? Finding(true) : rule.validator({payload.bytes, payload.whole_size});
    if (!finding.confirmed) continue;
    if (score > best.score) {
      best = {&rule, score, finding, false};
    } else if (rule.protocol != best.rule->protocol) {
      best.is_tied = true;
    }
  }
}

// See kEndsSearch.
bool ends_search(const Candidate& best, const std::bitset<65'536>& hinted, const FirstPayload& payload) noexcept {
  if (best.rule == nullptr || best.is_tied) return false;
  return hints(*best.rule, payload) || !(hinted[payload.source_port] || hinted[payload.destination_port]);
}

}  // namespace

struct Inspector::Scratch {
  RegexScratch regex;
  Matches matches;
  std::uint64_t version = 0;  // of the database it was made for
};

Inspector::Inspector() : scratch_(std::make_unique<Scratch>()) {}
Inspector::Inspector(Inspector&&) noexcept = default;
Inspector& Inspector::operator=(Inspector&&) noexcept = default;
Inspector::~Inspector() = default;

Result<Inspector> Inspector::create(const Classifier& classifier) {
  Inspector inspector;
  for (const auto* patterns : {&classifier.database_->tcp, &classifier.database_->udp})
    for (const auto* database : {patterns->starts.get(), patterns->rest.get()})
      if (auto status = prepare(database, inspector.scratch_->regex); !status) return tl::unexpected(status.error());
  inspector.scratch_->version = classifier.database_->version;
  return inspector;
}

Verdict Inspector::inspect(const Classifier& classifier, const FirstPayload& payload) noexcept {
  const auto& database = *classifier.database_;
  if (scratch_->version != database.version) return {};
  if (payload.ip_protocol != net::kTcp && payload.ip_protocol != net::kUdp) {
    const auto& [protocol, category] = database.ip_protocols[payload.ip_protocol];
    if (protocol == 0) return {};
    return {.protocol = protocol, .category = category, .confidence = 100, .source = Source::kPayload};
  }
  const auto& patterns = payload.ip_protocol == net::kTcp ? database.tcp : database.udp;
  Candidate best;
  scan(patterns.starts.get(), scratch_->regex.get(), payload.bytes, scratch_->matches);
  take_best(scratch_->matches, database.rules, payload, best);
  if (!ends_search(best, patterns.hinted, payload)) {
    scan(patterns.rest.get(), scratch_->regex.get(), payload.bytes, scratch_->matches);
    take_best(scratch_->matches, database.rules, payload, best);
  }
  if (best.rule == nullptr || best.is_tied) return {};
  if (best.rule->twice && payload.suspected != best.rule->protocol) return {.suspected = best.rule->protocol};

  Verdict verdict{.protocol = best.rule->protocol,
                  .category = best.rule->category,
                  .confidence = static_cast<std::uint8_t>(std::min(best.score, 100u)),
                  .source = Source::kPayload,
                  .has_name = !best.finding.name.empty()};
  if (const auto service = database.services.find(best.finding.name); service.app != 0) {
    verdict.app = service.app;
    verdict.source = Source::kName;
    // Mail stays mail whatever its server is called; only what carries anything is told by the service.
    if (best.rule->category == Category::kWeb) verdict.category = service.category;
  }
  if (best.finding.category != Category::kUnknown) verdict.category = best.finding.category;
  return verdict;
}

}  // namespace foreflow::classify
