// SPDX-License-Identifier: Apache-2.0
#include "host/store/guest_points.h"

#include "host/store/fields.h"

namespace foreflow::store {
namespace {

constexpr std::uint64_t kNanosPerMilli = 1'000'000;

}  // namespace

Point guest_point(const model::GuestSample& sample, const Tags& tags) {
  Point point{Measurement::kVmGuest, Resolution::kRaw, tags, sample.time, {}};
  const auto put = [&](std::string_view name, std::uint64_t value) {
    point.fields.emplace_back(std::string(name), field::saturated(value));
  };
  put(field::kCpuNs, sample.cpu_ns);
  if (sample.waited_ns) put(field::kWaitedNs, *sample.waited_ns);
  put(field::kVcpus, sample.vcpus);
  put(field::kMemoryCurrent, sample.memory.current.value);
  put(field::kMemoryMaximum, sample.memory.maximum.value);
  if (sample.memory.used) put(field::kMemoryUsed, sample.memory.used->value);
  if (sample.memory.rss) put(field::kMemoryRss, sample.memory.rss->value);
  put(field::kDiskReadBytes, sample.disk.read_bytes);
  put(field::kDiskReadRequests, sample.disk.read_requests);
  put(field::kDiskReadNs, sample.disk.read_ns);
  put(field::kDiskWriteBytes, sample.disk.write_bytes);
  put(field::kDiskWriteRequests, sample.disk.write_requests);
  put(field::kDiskWriteNs, sample.disk.write_ns);
  put(field::kDiskFlushRequests, sample.disk.flush_requests);
  put(field::kIntervalMs, sample.interval_ns / kNanosPerMilli);
  return point;
}

}  // namespace foreflow::store
