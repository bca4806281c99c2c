// SPDX-License-Identifier: Apache-2.0
#include "host/api/convert.h"

namespace foreflow::api {
namespace {

// What happened in an interval, per second.
std::uint64_t per_second(std::uint64_t count, std::uint64_t interval_ns) {
  return model::rate(count, interval_ns).value;
}

constexpr std::uint64_t kNanosPerMicro = 1'000;

void put(const model::GuestDecision& decision, pb::GuestDecision& to) {
  to.set_want(decision.want);
  to.set_limit(decision.limit);
  to.set_why(decision.why);
  to.set_enforced(decision.enforced);
  to.set_error(decision.error);
}

}  // namespace

pb::Guest to_proto(const model::GuestLive& guest) {
  pb::Guest to;
  const auto& sample = guest.sample;
  const auto interval = sample.interval_ns;
  to.set_time(sample.time.value);
  to.set_domain(guest.domain);
  to.set_uuid(guest.uuid);
  to.set_cpu_micros(per_second(sample.cpu_ns / kNanosPerMicro, interval));
  if (sample.waited_ns) to.set_waited_micros(per_second(*sample.waited_ns / kNanosPerMicro, interval));
  to.set_vcpus(sample.vcpus);
  to.set_vcpus_maximum(sample.vcpus_maximum);
  to.set_memory_current(sample.memory.current.value);
  to.set_memory_maximum(sample.memory.maximum.value);
  if (sample.memory.used) to.set_memory_used(sample.memory.used->value);
  if (sample.memory.rss) to.set_memory_rss(sample.memory.rss->value);
  to.set_disk_read_rate(per_second(sample.disk.read_bytes, interval));
  to.set_disk_write_rate(per_second(sample.disk.write_bytes, interval));
  to.set_disk_read_requests(per_second(sample.disk.read_requests, interval));
  to.set_disk_write_requests(per_second(sample.disk.write_requests, interval));
  to.set_disk_flush_requests(per_second(sample.disk.flush_requests, interval));
  if (guest.cpu) put(*guest.cpu, *to.mutable_cpu_decision());
  if (guest.memory) put(*guest.memory, *to.mutable_memory_decision());
  return to;
}

pb::Hypervisor to_proto(const HypervisorStatus& status) {
  pb::Hypervisor to;
  const auto& live = status.live;
  to.set_host(status.settings.host);
  to.set_uri(status.settings.uri);
  to.set_connected(live.connected);
  to.set_error(live.error);
  to.set_last_read(live.last_read.value);
  to.set_reads(live.reads);
  to.set_failures(live.failures);
  to.set_resets(live.resets);
  to.set_lost_points(live.lost_points);
  to.set_domains(live.domains);
  for (const auto& name : live.unknown) to.add_unknown(name);
  for (const auto& text : live.conflicts) to.add_conflicts(text);
  to.set_cpus(live.cpus);
  to.set_memory(live.memory.value);
  return to;
}

}  // namespace foreflow::api
