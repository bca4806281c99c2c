// SPDX-License-Identifier: Apache-2.0
#include "host/audit/codec.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "host/audit/bytes.h"

namespace foreflow::audit {
namespace {

using allocate::Member;
using allocate::Outcome;
using allocate::Pool;
using allocate::Round;

constexpr std::uint64_t kFormat = 2;

// The integers of a member that policy and forecast give, in the order of the format.
constexpr std::size_t kNumbers = 12;
using Numbers = std::array<std::uint64_t, kNumbers>;

Numbers numbers_of(const Member& m) {
  return {m.tier,       m.weight,  m.pool,         m.guarantee.value, m.cap.value, m.least.value,
          m.most.value, m.hold_ns, m.demand.value, m.peak.value,      m.limited,   m.known};
}

void set_numbers(Member& m, const Numbers& n) {
  m.tier = static_cast<std::uint8_t>(n[0]);
  m.weight = static_cast<std::uint32_t>(n[1]);
  m.pool = static_cast<std::uint32_t>(n[2]);
  m.guarantee = {n[3]};
  m.cap = {n[4]};
  m.least = {n[5]};
  m.most = {n[6]};
  m.hold_ns = n[7];
  m.demand = {n[8]};
  m.peak = {n[9]};
  m.limited = n[10] != 0;
  m.known = n[11] != 0;
}

// Bits after those of the numbers.
constexpr std::uint64_t kStateBit = 1ull << kNumbers;  // previous and installed are not what the last round left
constexpr std::uint64_t kNoteBit = 1ull << (kNumbers + 1);

struct Before {
  Member member;
  Note note;
};

// What is expected of a member when nothing is written about it.
Before before(const Known& known, VmId vm) {
  Before before;
  const auto found = std::ranges::lower_bound(known.round.members, vm, {}, &Member::vm);
  if (found != known.round.members.end() && found->vm == vm) {
    before.member = *found;
    before.note = known.notes[static_cast<std::size_t>(found - known.round.members.begin())];
  }
  before.member.vm = vm;
  const auto outcome = known.outcomes.find(vm);
  before.member.previous = outcome == known.outcomes.end() ? std::nullopt : std::optional(outcome->second.state);
  before.member.installed = outcome == known.outcomes.end() ? BytesPerSecond{} : outcome->second.share.pir;
  return before;
}

void put_state(ByteWriter& out, const Member& member) {
  out.put(member.installed.value);
  out.put(member.previous ? (member.previous->fall ? 2u : 1u) : 0u);
  if (!member.previous) return;
  out.put(member.previous->want.value);
  if (!member.previous->fall) return;
  out.put(static_cast<std::uint64_t>(member.previous->fall->until.value));
  out.put(member.previous->fall->highest.value);
}

void get_state(ByteReader& in, Member& member) {
  member.installed = {in.get()};
  const auto form = in.get();
  member.previous.reset();
  if (form == 0) return;
  member.previous = allocate::WantState{{in.get()}, std::nullopt};
  if (form != 2) return;
  const UnixNanos until{static_cast<std::int64_t>(in.get())};
  member.previous->fall = allocate::Fall{until, {in.get()}};
}

std::uint64_t changes(const Before& was, const Member& is, const Note& note) {
  std::uint64_t mask = 0;
  const auto from = numbers_of(was.member);
  const auto to = numbers_of(is);
  for (std::size_t i = 0; i < kNumbers; ++i)
    if (from[i] != to[i]) mask |= 1ull << i;
  if (was.member.previous != is.previous || was.member.installed != is.installed) mask |= kStateBit;
  if (was.note != note) mask |= kNoteBit;
  return mask;
}

void put_member(ByteWriter& out, std::uint64_t mask, const Before& was, const Member& is, const Note& note) {
  out.put(mask);
  const auto from = numbers_of(was.member);
  const auto to = numbers_of(is);
  for (std::size_t i = 0; i < kNumbers; ++i)
    if ((mask >> i & 1) != 0) out.put_change(from[i], to[i]);
  if ((mask & kStateBit) != 0) put_state(out, is);
  if ((mask & kNoteBit) != 0) {
    out.put(std::string_view(note.model));
    out.put(note.enforced ? 1u : 0u);
  }
}

void get_member(ByteReader& in, std::uint64_t mask, Before& member) {
  auto numbers = numbers_of(member.member);
  for (std::size_t i = 0; i < kNumbers; ++i)
    if ((mask >> i & 1) != 0) numbers[i] = in.get_change(numbers[i]);
  set_numbers(member.member, numbers);
  if ((mask & kStateBit) != 0) get_state(in, member.member);
  if ((mask & kNoteBit) != 0) {
    member.note.model = in.get_text();
    member.note.enforced = in.get() != 0;
  }
}

// What of a round is not its members.
std::string frame(const Round& round) {
  ByteWriter out;
  out.put(round.capacity.value);
  out.put(std::string_view(round.link));
  out.put(round.lending ? 1u : 0u);
  const auto& want = round.want;
  for (const std::uint64_t number :
       {std::uint64_t{want.deadband_permille}, want.hold_ns, std::uint64_t{want.limited_permille}})
    out.put(number);
  out.put(std::uint64_t{round.pools.size()});
  for (const Pool& pool : round.pools) {
    out.put(std::string_view(pool.name));
    out.put(pool.guarantee.value);
    out.put(pool.cap.value);
  }
  return std::move(out).take();
}

void set_frame(Round& round, std::string_view bytes) {
  ByteReader in(bytes);
  round.capacity = {in.get()};
  round.link = in.get_text();
  round.lending = in.get() != 0;
  auto& want = round.want;
  want.deadband_permille = static_cast<std::uint32_t>(in.get());
  want.hold_ns = in.get();
  want.limited_permille = static_cast<std::uint32_t>(in.get());
  round.pools.resize(in.get_count());
  for (Pool& pool : round.pools) {
    pool.name = in.get_text();
    pool.guarantee = {in.get()};
    pool.cap = {in.get()};
  }
}

std::vector<VmId> ids(const Round& round) {
  std::vector<VmId> all;
  all.reserve(round.members.size());
  for (const Member& member : round.members) all.push_back(member.vm);
  return all;
}

// Who takes part, where that is not who took part last.
void put_members(ByteWriter& out, const Known& known, const Entry& entry) {
  const auto now = ids(entry.round);
  const bool same = now == ids(known.round);
  out.put(same ? 0u : 1u);
  if (!same) {
    out.put(std::uint64_t{now.size()});
    std::uint64_t last = 0;
    for (const VmId vm : now) out.put_change(std::exchange(last, vm.value), vm.value);
  }
  ByteWriter changed;
  std::uint64_t count = 0;
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < now.size(); ++i) {
    const auto was = before(known, now[i]);
    const auto mask = changes(was, entry.round.members[i], entry.notes[i]);
    if (mask == 0) continue;
    ++count;
    changed.put_change(std::exchange(last, i), i);
    put_member(changed, mask, was, entry.round.members[i], entry.notes[i]);
  }
  out.put(count);
  out.put(std::string_view(changed.bytes()));
}

void get_members(ByteReader& in, const Known& known, Entry& entry) {
  std::vector<VmId> now = ids(known.round);
  if (in.get() != 0) {
    now.resize(in.get_count());
    std::uint64_t last = 0;
    for (VmId& vm : now) vm.value = static_cast<std::uint32_t>(last = in.get_change(last));
  }
  std::vector<Before> members;
  members.reserve(now.size());
  for (const VmId vm : now) members.push_back(before(known, vm));
  const std::uint64_t count = in.get();
  ByteReader changed(in.get_text());
  std::uint64_t at = 0;
  for (std::uint64_t k = 0; k < count && changed.good(); ++k) {
    at = changed.get_change(at);
    const auto mask = changed.get();
    if (at < members.size()) get_member(changed, mask, members[at]);
  }
  for (auto& [member, note] : members) {
    entry.round.members.push_back(member);
    entry.notes.push_back(std::move(note));
  }
}

// Times that the arithmetic of wants can add without an overflow.
bool is_possible(const Round& round) {
  constexpr std::uint64_t kLongest = 1ull << 61;
  const auto is_short = [](const Member& member) { return member.hold_ns <= kLongest; };
  return round.now.value >= 0 && static_cast<std::uint64_t>(round.now.value) <= kLongest &&
         std::ranges::all_of(round.members, is_short);
}

void remember(Known& known, const Entry& entry, const std::vector<Outcome>& outcomes) {
  known.round = entry.round;
  known.notes = entry.notes;
  known.digest = entry.digest;
  known.outcomes.clear();
  for (std::size_t i = 0; i < outcomes.size(); ++i) known.outcomes.emplace(entry.round.members[i].vm, outcomes[i]);
}

std::string_view as_text(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

}  // namespace

std::string Encoder::encode(const Record& record, const std::vector<std::vector<Outcome>>& outcomes) {
  ByteWriter out;
  out.put(kFormat);
  out.put(static_cast<std::uint64_t>(record.time.value));
  out.put(record.policy_version);
  out.put(std::uint64_t{record.entries.size()});
  for (std::size_t i = 0; i < record.entries.size(); ++i) {
    const Entry& entry = record.entries[i];
    Known& known = memory_[{entry.dataplane, entry.direction}];
    out.put(std::string_view(entry.dataplane));
    out.put(static_cast<std::uint64_t>(index(entry.direction)));
    out.put_change(static_cast<std::uint64_t>(record.time.value), static_cast<std::uint64_t>(entry.round.now.value));
    const auto now = frame(entry.round);
    out.put(std::string_view(now == frame(known.round) ? std::string() : now));
    put_members(out, known, entry);
    out.put(entry.digest == known.digest ? std::string_view() : as_text(entry.digest));
    remember(known, entry, outcomes[i]);
  }
  return std::move(out).take();
}

Result<Decoder::Decoded> Decoder::decode(std::string_view bytes) {
  const auto malformed = [] { return fail(ErrorCode::kMalformed, "a record of the audit does not parse"); };
  ByteReader in(bytes);
  if (const auto format = in.get(); format != kFormat)
    return fail(ErrorCode::kMalformed,
                fmt::format("a record of the audit has format {}, and this version reads format {}", format, kFormat));
  Decoded decoded;
  Record& record = decoded.record;
  record.time = {static_cast<std::int64_t>(in.get())};
  record.policy_version = in.get();
  record.entries.resize(in.get_count());
  for (Entry& entry : record.entries) {
    entry.dataplane = in.get_text();
    entry.direction = in.get() == 0 ? Direction::kEgress : Direction::kIngress;
    Known& known = memory_[{entry.dataplane, entry.direction}];
    entry.round.now = {static_cast<std::int64_t>(in.get_change(static_cast<std::uint64_t>(record.time.value)))};
    const auto now = in.get_text();
    set_frame(entry.round, now.empty() ? frame(known.round) : std::string(now));
    get_members(in, known, entry);
    const auto digest = in.get_text();
    entry.digest = known.digest;
    if (digest.size() == entry.digest.size()) std::copy(digest.begin(), digest.end(), entry.digest.begin());
    if (!in.good() || !is_possible(entry.round)) return malformed();
    const auto solved = allocate::solve(entry.round);
    if (!solved) return tl::unexpected(solved.error());
    remember(known, entry, solved->outcomes);
    decoded.outcomes.push_back(solved->outcomes);
  }
  if (!in.good() || !in.at_end()) return malformed();
  return decoded;
}

}  // namespace foreflow::audit
