// SPDX-License-Identifier: Apache-2.0
#include "dataplane/police/police.h"

namespace foreflow::police {
namespace {

using meter::Colour;

// Yellow over the uplink.
bool is_lent(const Limits& limits, std::uint64_t now_ns) noexcept {
  if (limits.uplink->lends(limits.borrower, now_ns)) return true;
  if (limits.borrower != nullptr) limits.borrower->refused(now_ns);
  return false;
}

bool admit_in_group(const Limits& limits, Bytes size, Colour colour, bool over_uplink, std::uint64_t now_ns) noexcept {
  while (true) {
    auto loan = limits.group->open(now_ns);
    if (colour == Colour::kYellow && (!loan.has(size) || (over_uplink && !is_lent(limits, now_ns)))) return false;
    loan.take(size);
    if (limits.group->try_settle(loan, now_ns)) return true;
  }
}

}  // namespace

Colour judge(const Limits& limits, Bytes size, bool over_uplink, std::uint64_t now_ns) noexcept {
  auto colour = Colour::kGreen;
  if (limits.meter != nullptr) {
    limits.meter->refill(now_ns);
    colour = limits.meter->colour(size);
    if (colour == Colour::kRed) return colour;
  }
  over_uplink = over_uplink && limits.uplink != nullptr;
  if (limits.group != nullptr) {
    if (!admit_in_group(limits, size, colour, over_uplink, now_ns)) return Colour::kRed;
  } else if (colour == Colour::kYellow && over_uplink && !is_lent(limits, now_ns)) {
    return Colour::kRed;
  }
  if (limits.meter != nullptr) limits.meter->pay(size, colour);
  if (over_uplink) limits.uplink->charge(size, colour, limits.borrower, now_ns);
  return colour;
}

}  // namespace foreflow::police
