// SPDX-License-Identifier: Apache-2.0
#include "host/audit/counterfactual.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

namespace foreflow::audit {
namespace {

using allocate::Binding;
using allocate::Member;
using allocate::Round;

BytesPerSecond tenth_more(BytesPerSecond rate) {
  const auto more = static_cast<unsigned __int128>(rate.value) * 11 / 10;
  return more < kUnlimited.value ? BytesPerSecond{static_cast<std::uint64_t>(more)} : kUnlimited;
}

class Questions {
 public:
  Questions(const Round& round, std::size_t at, allocate::AmountText how) : round_(round), at_(at), text_(how) {}

  void ask(std::string change, const std::function<void(Round&, Member&)>& make) {
    Round other = round_;
    make(other, other.members[at_]);
    const auto solved = allocate::solve(other);
    if (!solved) return;
    all_.push_back({std::move(change), std::move(other), solved->outcomes[at_]});
  }
  std::string text(BytesPerSecond amount) const { return text_(amount); }
  std::vector<Counterfactual> take() && { return std::move(all_); }

 private:
  const Round& round_;
  std::size_t at_;
  allocate::AmountText text_;
  std::vector<Counterfactual> all_;
};

void ask_about_policy(Questions& questions, const Member& member) {
  if (member.cap != kUnlimited)
    questions.ask(fmt::format("without its cap of {}", questions.text(member.cap)),
                  [](Round&, Member& m) { m.cap = kUnlimited; });
  if (member.most != kUnlimited)
    questions.ask(fmt::format("without its most of {}", questions.text(member.most)),
                  [](Round&, Member& m) { m.most = kUnlimited; });
  if (member.guarantee.value != 0)
    questions.ask(fmt::format("without its guarantee of {}", questions.text(member.guarantee)),
                  [](Round&, Member& m) { m.guarantee = {}; });
}

void ask_about_demand(Questions& questions, const Member& member) {
  questions.ask(fmt::format("with a forecast of {}, a tenth more", questions.text(tenth_more(member.demand))),
                [](Round&, Member& m) { m.demand = tenth_more(m.demand); });
  if (member.previous && member.previous->want > member.demand)
    questions.ask(fmt::format("without the {} that it asked for before", questions.text(member.previous->want)),
                  [](Round&, Member& m) { m.previous.reset(); });
  if (member.limited) questions.ask("were it not limited now", [](Round&, Member& m) { m.limited = false; });
  if (!member.known) questions.ask("were its forecast believed", [](Round&, Member& m) { m.known = true; });
}

void ask_about_the_link(Questions& questions, const Round& round, const Member& member) {
  if (member.tier != 0) questions.ask("in the first tier", [](Round&, Member& m) { m.tier = 0; });
  if (member.weight != 0 && member.weight <= allocate::kMostWeight / 2)
    questions.ask(fmt::format("with a weight of {}, twice its own", 2 * member.weight),
                  [](Round&, Member& m) { m.weight *= 2; });
  if (round.capacity != kUnlimited)
    questions.ask(fmt::format("with {} on {}, a tenth more", questions.text(tenth_more(round.capacity)), round.link),
                  [](Round& r, Member&) { r.capacity = tenth_more(r.capacity); });
  if (member.pool != 0 && round.pools[member.pool - 1].cap != kUnlimited)
    questions.ask(fmt::format("without the cap of group {}", round.pools[member.pool - 1].name),
                  [](Round& r, Member& m) { r.pools[m.pool - 1].cap = kUnlimited; });
}

}  // namespace

std::vector<Counterfactual> counterfactuals(const Round& round, VmId vm, allocate::AmountText text) {
  const auto found = std::ranges::find(round.members, vm, &Member::vm);
  if (found == round.members.end()) return {};
  const auto solved = allocate::solve(round);
  if (!solved) return {};
  const auto at = static_cast<std::size_t>(found - round.members.begin());
  Questions questions(round, at, text);
  ask_about_policy(questions, *found);
  ask_about_demand(questions, *found);
  if (solved->outcomes[at].share.binding == Binding::kLink) ask_about_the_link(questions, round, *found);
  return std::move(questions).take();
}

}  // namespace foreflow::audit
