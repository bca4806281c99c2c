// SPDX-License-Identifier: Apache-2.0
#include "host/store/report_points.h"

#include <algorithm>
#include <map>

#include "host/store/fields.h"

namespace foreflow::store {
namespace {

constexpr std::uint64_t kNanosPerMicro = 1'000;
constexpr std::uint64_t kNanosPerMilli = 1'000'000;

void add(Point& point, std::string name, std::uint64_t value) {
  point.fields.emplace_back(std::move(name), field::saturated(value));
}

void add(Point& point, std::string_view name, std::uint64_t value) { add(point, std::string(name), value); }

void add_drops(Point& point, std::string_view prefix, const std::array<std::uint64_t, wire::kDropCauses>& drops) {
  for (std::size_t i = 0; i < wire::kDropCauses; ++i)
    add(point, std::string(prefix) + field::drop(static_cast<wire::DropCause>(i)), drops[i]);
}

void add_direction(Point& point, Direction direction, const wire::DirectionSample& sample) {
  const auto put = [&](std::string_view quantity, std::uint64_t value) {
    add(point, field::directed(direction, quantity), value);
  };
  put(field::kOfferedPackets, sample.offered_packets);
  put(field::kOfferedBytes, sample.offered_bytes);
  put(field::kPassedPackets, sample.passed_packets);
  put(field::kPassedBytes, sample.passed_bytes);
  put(field::kLimited, sample.limited ? 1 : 0);
  if (sample.peak_10ms_bytes) put(field::kPeak10ms, *sample.peak_10ms_bytes);
  if (sample.peak_1ms_bytes) put(field::kPeak1ms, *sample.peak_1ms_bytes);
  const auto put_seen = [&](std::string_view quantity, std::uint64_t value) {
    if (value != 0) put(quantity, value);
  };
  put_seen(field::kDelayedPackets, sample.delayed_packets);
  put_seen(field::kMarkedPackets, sample.marked_packets);
  for (std::size_t i = 0; i < wire::kSizeClasses; ++i)
    put_seen(std::string("size_").append(wire::kSizeClassNames[i]), sample.sizes[i]);
  add_drops(point, field::kDirectionPrefixes[index(direction)], sample.drops);
}

Point empty_point(Measurement measurement, const wire::Report& report, const Origin& origin, std::string vm) {
  return Point{measurement, Resolution::kRaw, Tags{origin.host, origin.dpu, std::move(vm)}, report.time, {}};
}

// Queues of the same number, of all uplinks.
void add_queues(Point& point, const wire::Report& report) {
  std::map<std::uint8_t, wire::QueueSample> all;
  for (const auto& port : report.ports)
    for (const auto& sample : port.queues) {
      auto& sum = all[sample.queue];
      sum.passed_packets += sample.passed_packets;
      sum.passed_bytes += sample.passed_bytes;
      sum.dropped_packets += sample.dropped_packets;
      sum.dropped_bytes += sample.dropped_bytes;
      sum.waited_ns += sample.waited_ns;
      sum.longest_ns = std::max(sum.longest_ns, sample.longest_ns);
    }
  for (const auto& [queue, sum] : all) {
    add(point, field::of_queue(queue, field::kPassedPackets), sum.passed_packets);
    add(point, field::of_queue(queue, field::kPassedBytes), sum.passed_bytes);
    add(point, field::of_queue(queue, field::kDroppedPackets), sum.dropped_packets);
    add(point, field::of_queue(queue, field::kDroppedBytes), sum.dropped_bytes);
    add(point, field::of_queue(queue, field::kWaitedUs), sum.waited_ns / kNanosPerMicro);
    add(point, field::of_queue(queue, field::kLongestUs), sum.longest_ns / kNanosPerMicro);
  }
}

Point dataplane_point(const wire::Report& report, const Origin& origin) {
  Point point = empty_point(Measurement::kDataplane, report, origin, {});
  const auto& sample = report.dataplane;
  add(point, field::kRxPackets, sample.rx_packets);
  add(point, field::kRxBytes, sample.rx_bytes);
  add(point, field::kTxPackets, sample.tx_packets);
  add(point, field::kTxBytes, sample.tx_bytes);
  add(point, field::kFloodCopies, sample.flood_copies);
  add(point, field::kSpoolDroppedReports, sample.spool_dropped_reports);
  if (sample.payloads_without_state != 0) add(point, field::kPayloadsWithoutState, sample.payloads_without_state);
  if (sample.flows_without_buffer != 0) add(point, field::kFlowsWithoutBuffer, sample.flows_without_buffer);
  add(point, field::kIntervalMs, report.interval_ns / kNanosPerMilli);
  add_drops(point, {}, sample.drops);
  add_queues(point, report);
  return point;
}

Point net_point(const wire::Report& report, const Origin& origin, const std::string& vm, const wire::VmSample& sample) {
  Point point = empty_point(Measurement::kVmNet, report, origin, vm);
  for (const auto direction : kBothDirections) add_direction(point, direction, sample.directions[index(direction)]);
  add(point, field::kConnectionsOpened, sample.connections_opened);
  add(point, field::kConnectionsActive, sample.connections_active);
  add(point, field::kConnectionsClosed, sample.connections_closed);
  add(point, field::kConnectionsFailed, sample.connections_failed);
  if (sample.untracked_packets != 0) add(point, field::kUntrackedPackets, sample.untracked_packets);
  add(point, field::kIntervalMs, report.interval_ns / kNanosPerMilli);
  return point;
}

Point app_point(const wire::Report& report, const Origin& origin, const std::string& vm, const wire::VmSample& sample) {
  Point point = empty_point(Measurement::kVmApp, report, origin, vm);
  for (std::size_t i = 0; i < kCategories; ++i) {
    std::uint64_t both = 0;
    for (const auto& direction : sample.directions)
      if (__builtin_add_overflow(both, direction.app_bytes[i], &both)) both = std::numeric_limits<std::uint64_t>::max();
    add(point, kCategoryNames[i], both);
  }
  return point;
}

}  // namespace

std::vector<Point> report_points(const wire::Report& report, const Origin& origin, const VmNameLookup& name_of) {
  std::vector<Point> points;
  points.reserve(1 + 2 * report.vms.size());
  points.push_back(dataplane_point(report, origin));
  for (const auto& sample : report.vms) {
    const auto vm = name_of(sample.vm);
    if (!vm) continue;
    points.push_back(net_point(report, origin, *vm, sample));
    points.push_back(app_point(report, origin, *vm, sample));
  }
  return points;
}

}  // namespace foreflow::store
