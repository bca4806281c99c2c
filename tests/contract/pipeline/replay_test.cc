// SPDX-License-Identifier: Apache-2.0
// Captures through real worker threads: the figures are the capture's, whatever the number of workers.
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <thread>
#include <tuple>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rte_dev.h>

#include "dataplane/pipeline/configurator.h"
#include "dataplane/pipeline/reporter.h"
#include "tests/contract/pipeline/capture_file.h"
#include "tests/contract/pipeline/testbed.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::pipeline {
namespace {

constexpr VmId kWeb{1};
constexpr VmId kDatabase{2};
constexpr MacAddress kGateway = mac(0xfe);
constexpr std::uint64_t kStartUs = 1'700'000'000'000'000;
constexpr std::uint64_t kSecond = Testbed::kSecond;

FrameBytes request(std::uint16_t port, std::uint8_t flags, std::string_view payload = {}) {
  return make_frame({.source = kGateway,
                     .destination = mac(1),
                     .source_host = 7,
                     .destination_host = 1,
                     .protocol = 6,
                     .source_port = port,
                     .destination_port = 80,
                     .tcp_flags = flags,
                     .payload = payload});
}
FrameBytes response(std::uint16_t port, std::uint8_t flags, std::string_view payload = {}) {
  return make_frame({.source = mac(1),
                     .destination = kGateway,
                     .source_host = 1,
                     .destination_host = 7,
                     .protocol = 6,
                     .source_port = 80,
                     .destination_port = port,
                     .tcp_flags = flags,
                     .payload = payload});
}

// Three seconds: connections whose directions arrive on different ports, a flood over the database's limit spread over
// two queues, traffic between the VMs, broadcasts, spoofed and foreign frames.
void write_captures(const std::filesystem::path& directory) {
  CaptureFile uplink(directory / "uplink.pcap");
  CaptureFile web(directory / "web.pcap");
  CaptureFile database0(directory / "database0.pcap");
  CaptureFile database1(directory / "database1.pcap");
  const auto flood = make_frame({.source = mac(2), .destination = kGateway, .size = 1000});
  for (std::uint64_t ms = 0; ms < 3000; ++ms) {
    const auto now = kStartUs + ms * 1000;
    for (std::uint64_t i = 0; i < 4; ++i) (i % 2 == 0 ? database0 : database1).add(now + i * 200, flood);
    if (ms % 100 != 0) continue;
    const auto port = static_cast<std::uint16_t>(20'000 + ms);
    uplink.add(now, request(port, kSynFlag));
    web.add(now + 300, response(port, kSynFlag | kAckFlag));
    uplink.add(now + 600, request(port, kAckFlag, "GET / HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n"));
    web.add(now + 900, response(port, kAckFlag, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    if (ms % 200 == 0) uplink.add(now + 950, request(port, kRstFlag));
    web.add(now + 960, make_frame({.source = mac(1), .destination = mac(2), .size = 400}));
    web.add(now + 970, make_frame({.source = mac(1), .destination = kBroadcast}));
    web.add(now + 980, make_frame({.source = mac(2), .destination = kGateway}));  // spoof
    uplink.add(now + 990, make_frame({.source = kGateway, .destination = mac(9)}));
  }
}

wire::DesiredState desired_state() {
  wire::DesiredState desired;
  desired.generation = Generation{1};
  desired.vms = {{kWeb, "web", {{"web", mac(1), Segment{0}}}},
                 {kDatabase, "database", {{"database", mac(2), Segment{0}}}}};
  desired.intents = {{IntentId{1}, 0, wire::Demand::kSoftware,
                      wire::Police{kDatabase, Direction::kEgress, BytesPerSecond{1'000'000}, BytesPerSecond{1'000'000},
                                   Bytes{10'000}, Bytes{10'000}, 1}}};
  return desired;
}

void wait_until(const std::function<bool()>& held, const char* what) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!held()) {
    if (std::chrono::steady_clock::now() > deadline) throw std::runtime_error(what);
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

// Ports of one replay; their devices go with it.
class Devices {
 public:
  Devices(const std::filesystem::path& captures, std::uint16_t workers) {
    static int replays = 0;
    const auto replay = replays++;
    config_.id = "replay";
    config_.workers = workers;
    config_.eal.hugepages = false;
    config_.eal.memory_mb = 64;
    config_.clock = {config::ClockSource::kCapture, 0};
    add("uplink", fmt::format("net_pcap_up{}", replay), {captures / "uplink.pcap"}, config::PortRole::kUplink);
    add("web", fmt::format("net_pcap_web{}", replay), {captures / "web.pcap"}, config::PortRole::kVm);
    add("database", fmt::format("net_pcap_db{}", replay), {captures / "database0.pcap", captures / "database1.pcap"},
        config::PortRole::kVm);
  }
  ~Devices() {
    for (const auto& name : names_) rte_eal_hotplug_remove("vdev", name.c_str());
  }
  const config::Config& config() const { return config_; }

 private:
  void add(const std::string& port, const std::string& name, const std::vector<std::filesystem::path>& captures,
           config::PortRole role) {
    std::string arguments;
    for (const auto& capture : captures)
      arguments += fmt::format("{}rx_pcap={}", arguments.empty() ? "" : ",", capture.string());
    if (captures.empty() || rte_eal_hotplug_add("vdev", name.c_str(), arguments.c_str()) != 0)
      throw std::runtime_error(name);
    names_.push_back(name);
    config_.ports.push_back({.name = port, .device = name + "," + arguments, .netdev = name, .role = role});
  }

  config::Config config_;
  std::vector<std::string> names_;
};

std::vector<wire::Report> replay(const std::filesystem::path& captures, std::uint16_t workers) {
  const Devices devices(captures, workers);
  auto ports = port::Ports::start(devices.config());
  if (!ports) throw std::runtime_error(ports.error().message);
  auto engine = Engine::create({.workers = workers, .clock = devices.config().clock}, ports->pool());
  if (!engine) throw std::runtime_error(engine.error().message);
  offload::Enforcer enforcer(nullptr);
  Configurator configurator(**engine, enforcer, ports->all());
  Reporter reporter(**engine, enforcer, configurator);
  configurator.begin(desired_state());
  reporter.follow();
  configurator.finish();
  if (auto launched = (*engine)->launch(); !launched) throw std::runtime_error(launched.error().message);

  auto& timeline = *(*engine)->timeline();
  wait_until([&] { return timeline.next_due() != 0; }, "workers do not look at their captures");
  const auto start = timeline.next_due();
  auto limit = start + kSecond;
  timeline.start(start, limit);
  std::vector<wire::Report> reports;
  while (true) {
    wait_until([&] { return timeline.finished() || timeline.at_limit(); }, "the replay does not end");
    const bool at_end = timeline.finished();
    reports.push_back(reporter.report(UnixNanos{static_cast<std::int64_t>(timeline.now())}, kSecond));
    if (at_end) break;
    timeline.raise_limit(limit += kSecond);
  }
  (*engine)->stop();
  return reports;
}

auto figures(const wire::DirectionSample& sample) {
  return std::tuple(sample.offered_packets, sample.offered_bytes, sample.passed_packets, sample.passed_bytes,
                    sample.drops, sample.peak_10ms_bytes, sample.limited, sample.app_bytes);
}

class Replay : public testing::Test {
 protected:
  Replay() { write_captures(directory_.path()); }
  test::TemporaryDirectory directory_;
};

TEST_F(Replay, HasTheSameFiguresWithOneAndWithThreeWorkers) {
  const auto one = replay(directory_.path(), 1);
  const auto three = replay(directory_.path(), 3);
  ASSERT_EQ(one.size(), three.size());
  for (std::size_t i = 0; i < one.size(); ++i) {
    SCOPED_TRACE(fmt::format("second {}", i));
    EXPECT_EQ(one[i].time, three[i].time);
    EXPECT_EQ(one[i].dataplane.rx_packets, three[i].dataplane.rx_packets);
    EXPECT_EQ(one[i].dataplane.tx_packets, three[i].dataplane.tx_packets);
    EXPECT_EQ(one[i].dataplane.drops, three[i].dataplane.drops);
    ASSERT_EQ(one[i].vms.size(), three[i].vms.size());
    for (std::size_t vm = 0; vm < one[i].vms.size(); ++vm) {
      EXPECT_EQ(one[i].vms[vm].connections_opened, three[i].vms[vm].connections_opened);
      EXPECT_EQ(one[i].vms[vm].connections_active, three[i].vms[vm].connections_active);
      for (std::size_t at = 0; at < kDirections; ++at)
        EXPECT_EQ(figures(one[i].vms[vm].directions[at]), figures(three[i].vms[vm].directions[at]));
    }
  }
}

TEST_F(Replay, CountsWhatTheCapturesHold) {
  const auto reports = replay(directory_.path(), 3);
  std::uint64_t offered = 0, passed = 0, opened = 0, spoofed = 0, rx = 0, out = 0;
  for (const auto& report : reports) {
    const auto& database = sample_of(report, kDatabase).directions[index(Direction::kEgress)];
    offered += database.offered_bytes;
    passed += database.passed_bytes;
    opened += sample_of(report, kWeb).connections_opened;
    spoofed += report.dataplane.drops[wire::index(wire::DropCause::kSpoof)];
    rx += report.dataplane.rx_packets + report.dataplane.flood_copies;
    out += report.dataplane.tx_packets + sum(report.dataplane.drops);
  }
  EXPECT_EQ(reports.size(), 3u);
  EXPECT_EQ(offered, 12'000'000u);
  EXPECT_NEAR(static_cast<double>(passed), 3'000'000, 12'000);
  EXPECT_EQ(spoofed, 30u);
  // 30 TCP connections; the datagrams to the other VM and the broadcasts are one UDP flow, as their addresses agree.
  EXPECT_EQ(opened, 31u);
  EXPECT_EQ(rx, out);
}

}  // namespace
}  // namespace foreflow::pipeline
