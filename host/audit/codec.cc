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

constexpr std::uint64_t kFormat = 2;       // of records without CPU and memory
constexpr std::uint64_t kGuestFormat = 3;  // of the others

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
constexpr std::uint64_t kHasBit = 1ull << (kNumbers + 2);       // of guests: what it has
constexpr std::uint64_t kEnforcedBit = 1ull << (kNumbers + 3);  // of guests: it is the other way round

struct Before {
  Member member;
  Note note;
};

// What is expected of a member when nothing is written about it. A guest has what its hypervisor says: it goes on to
// follow what is decided, or to stay as it is.
Before before(const Known& known, Subject subject, VmId vm) {
  Before before;
  const auto found = std::ranges::lower_bound(known.round.members, vm, {}, &Member::vm);
  if (found != known.round.members.end() && found->vm == vm) {
    before.member = *found;
    before.note = known.notes[static_cast<std::size_t>(found - known.round.members.begin())];
  }
  before.member.vm = vm;
  const auto outcome = known.outcomes.find(vm);
  before.member.previous = outcome == known.outcomes.end() ? std::nullopt : std::optional(outcome->second.state);
  const bool follows = !is_of_guests(subject) || known.following.contains(vm);
  if (follows) before.member.installed = outcome == known.outcomes.end() ? BytesPerSecond{} : outcome->second.limit();
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

std::uint64_t changes(Subject subject, const Before& was, const Member& is, const Note& note) {
  std::uint64_t mask = 0;
  const auto from = numbers_of(was.member);
  const auto to = numbers_of(is);
  for (std::size_t i = 0; i < kNumbers; ++i)
    if (from[i] != to[i]) mask |= 1ull << i;
  const bool has_other = was.member.installed != is.installed;
  if (was.member.previous != is.previous || (has_other && !is_of_guests(subject)))
    mask |= kStateBit;
  else if (has_other)
    mask |= kHasBit;
  if (was.member.enforced != is.enforced) mask |= kEnforcedBit;
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
  if ((mask & kHasBit) != 0) out.put_change(was.member.installed.value, is.installed.value);
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
  if ((mask & kHasBit) != 0) member.member.installed = {in.get_change(member.member.installed.value)};
  if ((mask & kEnforcedBit) != 0) member.member.enforced = !member.member.enforced;
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
    const auto was = before(known, entry.subject, now[i]);
    const auto mask = changes(entry.subject, was, entry.round.members[i], entry.notes[i]);
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
  for (const VmId vm : now) members.push_back(before(known, entry.subject, vm));
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

// Of a round of memory.
void put_damping(ByteWriter& out, const Known& known, const Round& round) {
  const auto was = known.round.damping.value_or(allocate::Damping{});
  const auto is = round.damping.value_or(allocate::Damping{});
  out.put_change(was.room.value, is.room.value);
  out.put_change(was.slowest, is.slowest);
}

void get_damping(ByteReader& in, const Known& known, Round& round) {
  const auto was = known.round.damping.value_or(allocate::Damping{});
  round.damping.emplace();
  round.damping->room = {in.get_change(was.room.value)};
  round.damping->slowest = in.get_change(was.slowest);
}

void remember(Known& known, const Entry& entry, const std::vector<Outcome>& outcomes) {
  known.following.clear();
  for (const Member& member : entry.round.members)
    if (const auto last = known.outcomes.find(member.vm);
        last != known.outcomes.end() && last->second.limit() == member.installed)
      known.following.insert(member.vm);
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
  const bool has_guests = std::ranges::any_of(record.entries, is_of_guests, &Entry::subject);
  out.put(has_guests ? kGuestFormat : kFormat);
  out.put(static_cast<std::uint64_t>(record.time.value));
  out.put(record.policy_version);
  out.put(std::uint64_t{record.entries.size()});
  for (std::size_t i = 0; i < record.entries.size(); ++i) {
    const Entry& entry = record.entries[i];
    Known& known = memory_[{entry.device, entry.subject}];
    out.put(std::string_view(entry.device));
    out.put(static_cast<std::uint64_t>(entry.subject));
    out.put_change(static_cast<std::uint64_t>(record.time.value), static_cast<std::uint64_t>(entry.round.now.value));
    const auto now = frame(entry.round);
    out.put(std::string_view(now == frame(known.round) ? std::string() : now));
    if (entry.subject == Subject::kMemory) put_damping(out, known, entry.round);
    put_members(out, known, entry);
    out.put(entry.digest == known.digest ? std::string_view() : as_text(entry.digest));
    remember(known, entry, outcomes[i]);
  }
  return std::move(out).take();
}

Result<Decoder::Decoded> Decoder::decode(std::string_view bytes) {
  const auto malformed = [] { return fail(ErrorCode::kMalformed, "a record of the audit does not parse"); };
  ByteReader in(bytes);
  const auto format = in.get();
  if (format != kFormat && format != kGuestFormat)
    return fail(ErrorCode::kMalformed,
                fmt::format("a record of the audit has format {}, and this version reads {} and {}", format, kFormat,
                            kGuestFormat));
  Decoded decoded;
  Record& record = decoded.record;
  record.time = {static_cast<std::int64_t>(in.get())};
  record.policy_version = in.get();
  record.entries.resize(in.get_count());
  for (Entry& entry : record.entries) {
    entry.device = in.get_text();
    const auto subject = in.get();
    if (subject >= (format == kFormat ? kDirections : kSubjects)) return malformed();
    entry.subject = static_cast<Subject>(subject);
    Known& known = memory_[{entry.device, entry.subject}];
    entry.round.now = {static_cast<std::int64_t>(in.get_change(static_cast<std::uint64_t>(record.time.value)))};
    const auto now = in.get_text();
    set_frame(entry.round, now.empty() ? frame(known.round) : std::string(now));
    if (entry.subject == Subject::kMemory) get_damping(in, known, entry.round);
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
