// SPDX-License-Identifier: Apache-2.0
#include "common/wire/intents.h"

namespace foreflow::wire {

std::string kind_of(const Treatment& treatment) {
  std::string text;
  const auto add = [&](bool does, std::string_view what) {
    if (!does) return;
    if (!text.empty()) text += '+';
    text += what;
  };
  add(treatment.drop, "drop");
  add(treatment.dscp.has_value(), "mark_dscp");
  add(treatment.mirror.has_value(), "mirror");
  add(!treatment.steer_port.empty() || treatment.queue_group != 0, "steer");
  add(treatment.queue.has_value(), "queue_class");
  add(treatment.idle_seconds != 0, "age");
  return text.empty() ? "count" : text;
}

std::string kind_of(const Intent& intent) {
  if (std::holds_alternative<Bypass>(intent.what)) return "bypass";
  const auto* treatment = std::get_if<Treatment>(&intent.what);
  return treatment == nullptr ? "police" : kind_of(*treatment);
}

}  // namespace foreflow::wire
