// SPDX-License-Identifier: Apache-2.0
#include "host/store/fields.h"

#include <gtest/gtest.h>

#include "host/store/check.h"
#include "host/store/field_codec.h"
#include "host/store/report_points.h"

namespace foreflow::store {
namespace {

const Value* find(const Point& point, std::string_view name) {
  for (const auto& [key, value] : point.fields)
    if (key == name) return &value;
  return nullptr;
}

std::int64_t integer(const Point& point, std::string_view name) {
  const auto* value = find(point, name);
  if (value == nullptr) {
    ADD_FAILURE() << "no field " << name;
    return -1;
  }
  return std::get<std::int64_t>(*value);
}

wire::Report report_of_one_vm() {
  wire::Report report;
  report.time = UnixNanos{1'700'000'000'000'000'000};
  report.interval_ns = kNanosPerSecond;
  report.dataplane.rx_packets = 11;
  report.dataplane.drops[index(wire::DropCause::kPortFull)] = 4;
  wire::VmSample vm{VmId{7}, {}, 3, 5, 2, 1, 4};
  auto& egress = vm.directions[index(Direction::kEgress)];
  egress.offered_bytes = 1'500;
  egress.peak_1ms_bytes = 700;
  egress.sizes[6] = 2;
  egress.delayed_packets = 8;
  egress.limited = true;
  egress.drops[index(wire::DropCause::kPoliced)] = 2;
  egress.app_bytes[index(Category::kWeb)] = 600;
  auto& ingress = vm.directions[index(Direction::kIngress)];
  ingress.passed_packets = 9;
  ingress.peak_10ms_bytes = std::nullopt;
  ingress.app_bytes[index(Category::kWeb)] = 400;
  report.vms.push_back(vm);
  return report;
}

std::optional<std::string> name_of(VmId id) { return id == VmId{7} ? std::optional<std::string>("web") : std::nullopt; }

TEST(FieldNames, AreComposedOfDirectionQuantityAndLead) {
  EXPECT_EQ(field::directed(Direction::kEgress, field::kOfferedBytes), "tx_offered_bytes");
  EXPECT_EQ(field::directed(Direction::kIngress, field::kCir), "rx_cir");
  EXPECT_EQ(field::drop(wire::DropCause::kUnknownVm), "drop_unknown_vm");
  EXPECT_EQ(field::forecast(Direction::kEgress, 2, 12), "tx_q95_lead12");
}

TEST(FieldValues, SaturateAtWhatADatabaseCanKeep) {
  EXPECT_EQ(field::saturated(5), 5);
  EXPECT_EQ(field::saturated(UINT64_MAX), INT64_MAX);
}

TEST(ReportPoints, HoldTheDataplaneAndEachVmsTrafficAndApplications) {
  const auto points = report_points(report_of_one_vm(), {"host-1", "dpu-1"}, name_of);
  ASSERT_EQ(points.size(), 3u);
  const auto &dataplane = points[0], &net = points[1], &app = points[2];

  EXPECT_EQ(dataplane.tags, (Tags{"host-1", "dpu-1", ""}));
  EXPECT_EQ(integer(dataplane, "rx_packets"), 11);
  EXPECT_EQ(integer(dataplane, "drop_port_full"), 4);
  EXPECT_EQ(integer(dataplane, "interval_ms"), 1'000);

  EXPECT_EQ(net.measurement, Measurement::kVmNet);
  EXPECT_EQ(net.tags, (Tags{"host-1", "dpu-1", "web"}));
  EXPECT_EQ(net.time.value, 1'700'000'000'000'000'000);
  EXPECT_EQ(integer(net, "tx_offered_bytes"), 1'500);
  EXPECT_EQ(integer(net, "tx_limited"), 1);
  EXPECT_EQ(integer(net, "rx_limited"), 0);
  EXPECT_EQ(integer(net, "tx_drop_policed"), 2);
  EXPECT_EQ(integer(net, "rx_drop_policed"), 0);
  EXPECT_EQ(integer(net, "rx_passed_packets"), 9);
  EXPECT_EQ(integer(net, "connections_opened"), 3);
  EXPECT_EQ(integer(net, "connections_active"), 5);
  EXPECT_EQ(integer(net, "connections_closed"), 2);
  EXPECT_EQ(integer(net, "connections_failed"), 1);
  EXPECT_EQ(integer(net, "untracked_packets"), 4);
  EXPECT_EQ(integer(net, "tx_peak_1ms_bytes"), 700);
  EXPECT_EQ(integer(net, "tx_size_jumbo"), 2);
  EXPECT_EQ(integer(net, "tx_delayed_packets"), 8);
  EXPECT_EQ(find(net, "rx_size_jumbo"), nullptr);

  EXPECT_EQ(app.measurement, Measurement::kVmApp);
  EXPECT_EQ(app.fields.size(), kCategories);
  EXPECT_EQ(integer(app, "web"), 1'000);
  EXPECT_EQ(integer(app, "database"), 0);
}

TEST(ReportPoints, LeaveOutWhatTheDeviceCannotObserve) {
  const auto points = report_points(report_of_one_vm(), {"host-1", "dpu-1"}, name_of);
  EXPECT_NE(find(points[1], "tx_peak_10ms_bytes"), nullptr);
  EXPECT_EQ(find(points[1], "rx_peak_10ms_bytes"), nullptr);
}

TEST(ReportPoints, AddUpQueuesOfTheSameNumberOverAllUplinks) {
  auto report = report_of_one_vm();
  report.ports = {{.port = "p0", .queues = {{0, 5, 500, 1, 100, 9'000, 4'000, 0}, {7, 1, 60, 0, 0, 0, 0, 3}}},
                  {.port = "p1", .queues = {{0, 2, 200, 0, 0, 3'000, 7'000, 0}}}};
  const auto dataplane = report_points(report, {"host-1", "dpu-1"}, name_of).at(0);
  EXPECT_EQ(integer(dataplane, "queue0_passed_packets"), 7);
  EXPECT_EQ(integer(dataplane, "queue0_passed_bytes"), 700);
  EXPECT_EQ(integer(dataplane, "queue0_dropped_packets"), 1);
  EXPECT_EQ(integer(dataplane, "queue0_dropped_bytes"), 100);
  EXPECT_EQ(integer(dataplane, "queue0_waited_us"), 12);
  EXPECT_EQ(integer(dataplane, "queue0_longest_us"), 7);
  EXPECT_EQ(integer(dataplane, "queue7_passed_bytes"), 60);
  EXPECT_EQ(find(dataplane, "queue1_passed_bytes"), nullptr);
}

TEST(ReportPoints, LeaveOutAVmWithoutAName) {
  auto report = report_of_one_vm();
  report.vms[0].vm = VmId{8};
  EXPECT_EQ(report_points(report, {"host-1", "dpu-1"}, name_of).size(), 1u);
}

TEST(ReportPoints, CanBeStoredWhateverTheReportSays) {
  auto report = report_of_one_vm();
  report.interval_ns = UINT64_MAX;
  report.dataplane.rx_bytes = UINT64_MAX;
  for (auto& direction : report.vms[0].directions) direction.app_bytes.fill(UINT64_MAX);
  const auto points = report_points(report, {"host-1", "dpu-1"}, name_of);
  EXPECT_TRUE(check(points, std::nullopt));
  EXPECT_EQ(integer(points[2], "gaming"), INT64_MAX);
}

TEST(FieldCodec, ComesBackAsItWent) {
  const NumberedFields fields{
      {1, std::int64_t{0}}, {2, -1.5}, {300, INT64_MIN}, {301, INT64_MAX}, {UINT32_MAX, std::int64_t{-1}}};
  EXPECT_EQ(*decode_fields(encode_fields(fields)), fields);
}

TEST(FieldCodec, ANewerValueReplacesAnOlder) {
  const NumberedFields older{{1, std::int64_t{1}}, {3, std::int64_t{3}}},
      newer{{2, std::int64_t{2}}, {3, std::int64_t{9}}};
  EXPECT_EQ(merge_fields(older, newer),
            (NumberedFields{{1, std::int64_t{1}}, {2, std::int64_t{2}}, {3, std::int64_t{9}}}));
}

TEST(FieldCodec, CutAndDisorderedBlobsAreErrors) {
  const auto blob = encode_fields({{1, 0.5}, {2, std::int64_t{1'000'000}}});
  for (std::size_t size = 1; size < blob.size(); ++size) {
    const auto cut = decode_fields(std::string_view(blob).substr(0, size));
    EXPECT_TRUE(!cut || cut->size() < 2) << size;
  }
  EXPECT_FALSE(decode_fields(encode_fields({{2, std::int64_t{1}}, {1, std::int64_t{1}}})));
  EXPECT_FALSE(decode_fields(std::string(11, '\xff')));
}

TEST(Utf8, KnowsWellFormedFromNot) {
  for (const std::string good : {"", "plain", "Büro", "本", "\xF0\x9F\x98\x80"}) EXPECT_TRUE(is_utf8(good)) << good;
  for (const std::string bad :
       {"\xff", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3", "a\x80"})
    EXPECT_FALSE(is_utf8(bad));
}

}  // namespace
}  // namespace foreflow::store
