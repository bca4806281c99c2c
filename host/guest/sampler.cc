// SPDX-License-Identifier: Apache-2.0
#include "host/guest/sampler.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace foreflow::guest {
namespace {

using model::DiskCounts;

constexpr std::array kDiskTotals{&DiskCounts::read_bytes,    &DiskCounts::read_requests,  &DiskCounts::read_ns,
                                 &DiskCounts::write_bytes,   &DiskCounts::write_requests, &DiskCounts::write_ns,
                                 &DiskCounts::flush_requests};

bool began_anew(const Domain& before, const Domain& now) {
  const auto fell = [&](auto total) { return now.disk.*total < before.disk.*total; };
  return now.id != before.id || now.cpu_ns < before.cpu_ns || std::ranges::any_of(kDiskTotals, fell);
}

// Of vCPUs that were taken away nothing is told any more, so this total may fall while the domain runs on.
std::optional<std::uint64_t> rise(const std::optional<std::uint64_t>& before, const std::optional<std::uint64_t>& now) {
  if (!before || !now || *now < *before) return std::nullopt;
  return *now - *before;
}

}  // namespace

std::optional<model::GuestSample> Sampler::observe(const Domain& domain, VmId vm, UnixNanos now) {
  const auto [found, is_new] = seen_.try_emplace(domain.uuid, Seen{domain, now, now});
  if (is_new) return std::nullopt;
  const bool spoke = domain.memory.told_at != found->second.domain.memory.told_at;
  const Seen before = std::exchange(found->second, Seen{domain, now, spoke ? now : found->second.heard});
  if (began_anew(before.domain, domain)) {
    ++resets_;
    return std::nullopt;
  }
  if (now <= before.time) return std::nullopt;
  model::GuestSample sample{.vm = vm,
                            .time = now,
                            .interval_ns = static_cast<std::uint64_t>(now.value - before.time.value),
                            .cpu_ns = domain.cpu_ns - before.domain.cpu_ns,
                            .waited_ns = rise(before.domain.waited_ns, domain.waited_ns),
                            .vcpus = domain.vcpus,
                            .vcpus_maximum = domain.vcpus_maximum,
                            .memory = domain.memory};
  if (now.value - found->second.heard.value > kSilenceNs) sample.memory.used.reset();
  for (const auto total : kDiskTotals) sample.disk.*total = domain.disk.*total - before.domain.disk.*total;
  return sample;
}

void Sampler::retain(const std::vector<Domain>& domains) {
  std::set<std::string_view> known;
  for (const auto& domain : domains) known.insert(domain.uuid);
  std::erase_if(seen_, [&](const auto& item) { return !known.contains(item.first); });
}

}  // namespace foreflow::guest
