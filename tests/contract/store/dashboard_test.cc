// SPDX-License-Identifier: Apache-2.0
// The Grafana dashboard against a real influxd that InfluxStore filled, by tests/support/check_dashboard.
#include <array>
#include <cstdio>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "host/store/fields.h"
#include "host/store/guest_points.h"
#include "host/store/influx_store.h"
#include "host/store/report_points.h"
#include "support/source_paths.h"
#include "tests/contract/store/bench.h"
#include "tests/contract/store/influx_server.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::store {
namespace {

using ::testing::HasSubstr;

const std::filesystem::path kSource = FOREFLOW_SOURCE_DIR;
constexpr std::int64_t kSecond = 1'000'000'000;

wire::Report report_at(UnixNanos time) {
  wire::Report report;
  report.time = time;
  report.interval_ns = kNanosPerSecond;
  report.dataplane.rx_packets = report.dataplane.tx_packets = 10;
  report.dataplane.rx_bytes = report.dataplane.tx_bytes = 15'000;
  wire::PortSample uplink{.port = "uplink"};
  for (std::uint8_t queue = 0; queue <= wire::kLastQueue; ++queue)
    uplink.queues.push_back({.queue = queue, .passed_packets = 1, .passed_bytes = 1'500, .longest_ns = 5'000});
  report.ports.push_back(uplink);
  for (const std::uint32_t id : {1u, 2u}) {
    wire::VmSample vm{VmId{id}, {}, 1, 2};
    for (auto& direction : vm.directions) direction.offered_bytes = direction.passed_bytes = 7'500 * id;
    report.vms.push_back(vm);
  }
  return report;
}

Point forecast_at(UnixNanos time, const std::string& vm) {
  Point point{Measurement::kVmForecast, Resolution::kRaw, {"host-1", "dpu-1", vm}, time, {}};
  for (const auto direction : kBothDirections)
    for (std::size_t quantile = 0; quantile < field::kQuantileNames.size(); ++quantile)
      point.fields.emplace_back(field::forecast(direction, quantile, 1), std::int64_t{8'000});
  return point;
}

Point allocation_at(UnixNanos time, const std::string& vm) {
  Point point{Measurement::kVmAlloc, Resolution::kRaw, {"host-1", "dpu-1", vm}, time, {}};
  for (const auto direction : kBothDirections)
    for (const auto what : {field::kCir, field::kPir})
      point.fields.emplace_back(field::directed(direction, what), std::int64_t{9'000});
  return point;
}

model::GuestSample guest_at(UnixNanos time) {
  model::GuestSample sample{.time = time, .interval_ns = 10 * kNanosPerSecond, .cpu_ns = kNanosPerSecond};
  sample.waited_ns = 5;
  sample.memory = {.current = {1'000}, .maximum = {2'000}, .used = Bytes{500}, .rss = Bytes{900}};
  sample.disk.read_bytes = sample.disk.write_bytes = 4'096;
  return sample;
}

class Dashboard : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<InfluxServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  // Two minutes of two VMs.
  void fill() {
    InfluxConfig config;
    config.url = server_->url();
    config.buffer = folder_.path() / "buffer";
    auto store = *InfluxStore::open(config);
    const auto now = SystemClock().now().value;
    for (int second = 120; second > 0; --second) {
      const UnixNanos time{now - second * kSecond};
      auto points = report_points(report_at(time), {"host-1", "dpu-1"},
                                  [](VmId id) { return "web/" + std::to_string(id.value) + " (test)"; });
      if (second % 10 == 0)
        for (const auto* vm : {"web/1 (test)", "web/2 (test)"}) {
          points.push_back(forecast_at(time, vm));
          points.push_back(allocation_at(time, vm));
          points.push_back(guest_point(guest_at(time), {"host-1", "dpu-1", vm}));
        }
      ASSERT_TRUE(store->append(points, std::nullopt));
    }
    ASSERT_TRUE(store->range(everything("web/1 (test)")));  // all of it has arrived
    ASSERT_EQ(store->health().rejected_points, 0u) << store->health().last_error;
  }
  // A copy of configs/grafana in which `from` reads `to`.
  std::filesystem::path changed(const std::string& from, const std::string& to) const {
    const auto copy = folder_.path() / "grafana";
    std::filesystem::remove_all(copy);
    std::filesystem::copy(kSource / "configs/grafana", copy, std::filesystem::copy_options::recursive);
    const auto file = copy / "dashboards/foreflow.json";
    std::ifstream in(file);
    std::string text(std::istreambuf_iterator<char>(in), {});
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    std::ofstream(file) << text;
    return copy;
  }
  struct Outcome {
    int status;
    std::string output;
  };
  Outcome check(const std::filesystem::path& folder) const {
    const auto command = (kSource / "tests/support/check_dashboard").string() + " --folder '" + folder.string() +
                         "' --url " + server_->url() + " --database foreflow 2>&1";
    FILE* pipe = ::popen(command.c_str(), "r");
    std::string output;
    std::array<char, 4096> part{};
    while (const auto size = std::fread(part.data(), 1, part.size(), pipe)) output.append(part.data(), size);
    return {::pclose(pipe), output};
  }

  static inline std::unique_ptr<InfluxServer> server_;
  test::TemporaryDirectory folder_;
};

TEST_F(Dashboard, EveryQueryHasDataAndMistakesInItAreFound) {
  const auto empty = check(kSource / "configs/grafana");
  EXPECT_NE(empty.status, 0) << "an empty database was taken for a full one";
  fill();
  const auto right = check(kSource / "configs/grafana");
  EXPECT_EQ(right.status, 0) << right.output;
  EXPECT_THAT(right.output, HasSubstr(" 0 failures"));

  const auto field = check(changed("\\\"rx_passed_bytes\\\"", "\\\"rx_pased_bytes\\\""));
  EXPECT_NE(field.status, 0);
  EXPECT_THAT(field.output, HasSubstr("no data"));
  const auto one_of_many = check(changed("sum(\\\"gaming\\\")", "sum(\\\"gambling\\\")"));
  EXPECT_NE(one_of_many.status, 0);
  EXPECT_THAT(one_of_many.output, HasSubstr("no data in gaming"));
  const auto datasource = check(changed("foreflow-influxdb", "another"));
  EXPECT_NE(datasource.status, 0);
  EXPECT_THAT(datasource.output, HasSubstr("'another' is not provisioned"));
  const auto syntax = check(changed("GROUP BY time($__interval)", "GRUPPE BY time($__interval)"));
  EXPECT_NE(syntax.status, 0);
  EXPECT_THAT(syntax.output, HasSubstr("error parsing query"));
  const auto variable = check(changed("/^$vm$/", "/^$wm$/"));
  EXPECT_NE(variable.status, 0);
  EXPECT_THAT(variable.output, HasSubstr("unknown variable $wm"));
}

}  // namespace
}  // namespace foreflow::store
