// SPDX-License-Identifier: Apache-2.0
#include "host/policy/fit.h"

#include <fmt/format.h>

namespace foreflow::policy {
namespace {

std::string reasons_against(const model::Fleet& configured, const Document& document, UnixNanos now) {
  std::string text;
  for (const auto& objection : model::objections(effective(configured, document, now).fleet))
    text += (text.empty() ? "" : "; ") + objection.reason;
  return text;
}

class Fit {
 public:
  Fit(const model::Fleet& configured, UnixNanos now) : configured_(configured), now_(now) {}

  // Takes `change` into the document if that is possible.
  template <typename Change>
  void take(const std::string& what, Change change) {
    auto more = result_.document;
    change(more);
    if (auto reasons = reasons_against(configured_, more, now_); reasons.empty())
      result_.document = std::move(more);
    else
      result_.left_out.push_back(fmt::format("{}: {}", what, reasons));
  }

  template <typename Item>
  void take_each(std::string_view kind, const std::vector<Item>& items, std::vector<Item> Document::*list) {
    for (const auto& item : items)
      take(fmt::format("{} {}", kind, item.name), [&](Document& document) { (document.*list).push_back(item); });
  }

  Fitted done() && { return std::move(result_); }

 private:
  const model::Fleet& configured_;
  UnixNanos now_;
  Fitted result_;
};

}  // namespace

Fitted fit(const model::Fleet& configured, const Document& document, UnixNanos now) {
  if (reasons_against(configured, document, now).empty()) return {document, {}};
  Fit fit(configured, now);
  // Tiers and groups say nothing about VMs by themselves, but VMs may need all of them.
  fit.take("tiers and groups", [&](Document& to) {
    to.tiers = document.tiers;
    to.groups = document.groups;
    to.origins = document.origins;
  });
  fit.take_each("vm", document.vms, &Document::vms);
  fit.take_each("event", document.events, &Document::events);
  fit.take_each("maintenance", document.maintenance, &Document::maintenance);
  fit.take_each("class", document.classes, &Document::classes);
  return std::move(fit).done();
}

}  // namespace foreflow::policy
