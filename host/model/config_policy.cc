// SPDX-License-Identifier: Apache-2.0
#include "host/model/config_policy.h"

#include <cmath>

#include <fmt/format.h>

namespace foreflow::model {
namespace {

template <typename T, typename Read>
void read_per_direction(TomlTable& table, std::string_view key, PerDirection<std::optional<T>>& out, Read read) {
  const auto read_one = [&](TomlTable& from, std::string_view name) -> std::optional<T> {
    T value{};
    read(from, name, value);
    return from.has(name) ? std::optional(value) : std::nullopt;
  };
  if (!table.is_table(key)) {
    if (const auto both = read_one(table, key)) out.fill(both);
    return;
  }
  auto inner = *table.table(key);
  for (const auto direction : kBothDirections)
    if (const auto one = read_one(inner, to_string(direction))) out[index(direction)] = one;
  inner.finish();
}

void read_rate_patch(TomlTable& table, std::string_view key, PerDirection<std::optional<BytesPerSecond>>& out) {
  read_per_direction(table, key, out,
                     [](TomlTable& t, std::string_view k, BytesPerSecond& rate) { t.read(k, rate, parse_rate); });
}

// As parse_duration(); what is outside of a burst's bounds is a reason.
void read_burst(TomlTable& table, std::uint64_t& out) {
  table.read("burst", out, parse_duration);
  if (out < kNanosPerSecond / 1000 || out > 10 * kNanosPerSecond) table.error("burst", "must be 1ms to 10s");
}

Result<std::uint64_t> micros_from(double cpus) {
  constexpr double kMicros = 1e6;
  constexpr double kMostCpus = 65'536;
  if (cpus >= 0 && cpus <= kMostCpus) return static_cast<std::uint64_t>(std::llround(cpus * kMicros));
  return fail(ErrorCode::kInvalidConfig, fmt::format("{} is not a number of CPUs from 0 to {}", cpus, kMostCpus));
}

void read_amount(TomlTable& table, std::string_view key, GuestResource resource, std::uint64_t& out) {
  if (!table.has(key)) return;
  if (resource == GuestResource::kMemory) {
    Bytes bytes;
    table.read(key, bytes, parse_bytes);
    out = bytes.value;
    return;
  }
  double cpus = 0;
  table.read(key, cpus);
  if (const auto micros = micros_from(cpus))
    out = *micros;
  else
    table.error(key, micros.error().message);
}

// `cpu = {guarantee = 0.5, cap = 4}`, `memory = {guarantee = "1GiB"}`; `{}` enables it as well.
std::optional<GuestShare> read_share(TomlTable& vm, std::string_view key, GuestResource resource) {
  auto table = vm.table(key);
  if (!table) return std::nullopt;
  GuestShare share;
  read_amount(*table, "guarantee", resource, share.guarantee);
  read_amount(*table, "cap", resource, share.cap);
  table->read("weight", share.weight, 0, kLargestWeight);
  if (share.cap < share.guarantee) table->error("cap", "must not be below the guarantee");
  if (share.cap == 0) table->error("cap", "must be more than 0");
  table->finish();
  return share;
}

}  // namespace

Tier read_tier(TomlTable& table) {
  Tier tier;
  table.require("name");
  table.read("name", tier.name);
  std::uint32_t priority = tier.priority;
  table.read("priority", priority, 0, 255);
  tier.priority = static_cast<std::uint8_t>(priority);
  table.read("quantile", tier.quantile);
  table.read("weight", tier.weight, 1, kLargestWeight);
  std::uint64_t hold = 0;
  table.read("hold", hold, parse_duration);
  if (table.has("hold")) tier.hold_ns = hold;
  table.finish();
  return tier;
}

Group read_group(TomlTable& table) {
  Group group;
  for (const auto* key : {"name", "cap"}) table.require(key);
  table.read("name", group.name);
  read_rates(table, "guarantee", group.guarantee);
  read_rates(table, "cap", group.cap);
  read_burst(table, group.burst_ns);
  read_bypass(table, group.bypass);
  table.finish();
  return group;
}

void read_rates(TomlTable& table, std::string_view key, PerDirection<BytesPerSecond>& out) {
  PerDirection<std::optional<BytesPerSecond>> read;
  read_rate_patch(table, key, read);
  for (std::size_t d = 0; d < kDirections; ++d) out[d] = read[d].value_or(out[d]);
}

PolicyPatch read_policy(TomlTable& table) {
  PolicyPatch patch;
  const auto read_text = [&](std::string_view key, std::optional<std::string>& out) {
    std::string text;
    table.read(key, text);
    if (table.has(key)) out = text;
  };
  read_text("tier", patch.tier);
  read_text("group", patch.group);
  read_rate_patch(table, "guarantee", patch.guarantee);
  read_rate_patch(table, "cap", patch.cap);
  read_rate_patch(table, "least", patch.least);
  read_rate_patch(table, "most", patch.most);
  read_per_direction(table, "weight", patch.weight, [](TomlTable& t, std::string_view k, std::uint32_t& weight) {
    t.read(k, weight, 0, kLargestWeight);
  });
  read_per_direction(table, "packets", patch.packets, [](TomlTable& t, std::string_view k, std::uint64_t& packets) {
    t.read(k, packets, 0, kMostPackets);
  });
  std::uint64_t burst = 800'000'000;
  read_burst(table, burst);
  if (table.has("burst")) patch.burst_ns = burst;
  bool shape = false;
  table.read("shape", shape);
  if (table.has("shape")) patch.shape = shape;
  Mode mode = Mode::kEnforce;
  table.read_word("mode", mode,
                  {{"observe", Mode::kObserve}, {"recommend", Mode::kRecommend}, {"enforce", Mode::kEnforce}});
  if (table.has("mode")) patch.mode = mode;
  read_bypass(table, patch.bypass);
  patch.cpu = read_share(table, "cpu", GuestResource::kCpu);
  patch.memory = read_share(table, "memory", GuestResource::kMemory);
  return patch;
}

void read_bypass(TomlTable& table, std::optional<Bypass>& out) {
  Bypass bypass;
  table.read("bypass_after", bypass, parse_bypass);
  table.read("bypass_idle", bypass.idle_seconds, parse_bypass_idle);
  if (table.has("bypass_after"))
    out = bypass;
  else if (table.has("bypass_idle"))
    table.error("bypass_idle", "stands beside `bypass_after`, which says what leaves the CPU at all");
}

void note_origins(const TomlTable& table, const std::string& what, std::map<std::string, std::string>& origins) {
  for (const auto& key : table.keys()) origins[fmt::format("{} {}", what, key)] = table.where(key);
}

}  // namespace foreflow::model
