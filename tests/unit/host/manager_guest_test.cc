// SPDX-License-Identifier: Apache-2.0
// A manager that reads libvirt's test driver: no daemon, a domain that uses one whole CPU.
#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "host/guest/hypervisor.h"
#include "tests/unit/host/manager_fixture.h"

namespace foreflow::app {
namespace {

using cli::ExitCode;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

class ManagerGuestTest : public ManagerTest {
 protected:
  void SetUp() override {}
  // The driver's whole world, `extra` included.
  std::string test_driver(const std::string& extra = "") {
    const auto file = folder_ / "node.xml";
    std::ofstream(file) << "<node><cpu><mhz>2000</mhz><model>i686</model><active>8</active><nodes>1</nodes>"
                           "<sockets>1</sockets><cores>8</cores><threads>1</threads></cpu><memory>8388608</memory>"
                           "<domain type='test'><name>guest-web</name><uuid>6b2d3f0e-0b5e-4d0c-8f0e-3a1f5c7d9e21</uuid>"
                           "<memory>2097152</memory><currentMemory>1048576</currentMemory><vcpu current='2'>4</vcpu>"
                           "<os><type>hvm</type></os><devices><interface type='bridge'>"
                           "<mac address='52:54:00:00:00:01'/><source bridge='br0'/></interface></devices></domain>"
                        << extra << "</node>";
    return "test://" + file.string();
  }
  bool has_libvirt() {
    const auto opened = guest::open_hypervisor(test_driver());
    return opened || opened.error().code != ErrorCode::kUnsupported;
  }
  void start_reading(const std::string& uri) {
    auto settings = config();
    settings.fleet.hypervisors = {{"node1", uri, kNanosPerSecond}};
    settings.fleet.vms[0].policy.memory = memory_;
    settings.fleet.vms[0].policy.cpu = cpu_;
    auto started = Manager::start(settings);
    ASSERT_TRUE(started) << started.error().message;
    manager_ = std::move(*started);
  }
  std::optional<model::GuestShare> cpu_, memory_;
  // Until `done` or for long.
  template <typename Done>
  bool wait_for(Done done) {
    for (int i = 0; i < 600 && !done(); ++i) std::this_thread::sleep_for(50ms);
    return done();
  }
};

TEST_F(ManagerGuestTest, ShowsCpuAndMemoryBesideTheTraffic) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  start_reading(
      test_driver("<domain type='test'><name>stranger</name><memory>1024</memory><vcpu>1</vcpu>"
                  "<os><type>hvm</type></os></domain>"));
  ASSERT_TRUE(wait_for([&] { return manager_->vms("web")->at(0).guest.has_value(); }));
  const auto guests = json({"guest", "list"});
  ASSERT_EQ(guests.size(), 1u);
  EXPECT_EQ(guests[0]["vm"], "web");
  EXPECT_EQ(guests[0]["domain"], "guest-web");
  EXPECT_EQ(guests[0]["memory_current"], 1ull << 30);
  EXPECT_EQ(guests[0]["memory_maximum"], 2ull << 30);
  EXPECT_TRUE(guests[0]["memory_used"].is_null()) << "this driver has no balloon";
  EXPECT_NEAR(guests[0]["cpu_micros"].get<double>(), 1e6, 5e5);
  EXPECT_THAT(foreflow({"vm", "show", "web"}).out, HasSubstr("guest-web"));
  const auto hypervisors = json({"hypervisor", "list"});
  EXPECT_EQ(hypervisors[0]["cpus"], 8);
  EXPECT_EQ(hypervisors[0]["unknown"], nlohmann::json({"stranger"}));
  EXPECT_EQ(foreflow({"guest", "list"}).code, ExitCode::kDone);
}

TEST_F(ManagerGuestTest, SetsMemoryAndVcpusWhereThatIsEnabled) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  memory_ = model::GuestShare{.guarantee = 1536ull << 20};
  cpu_ = model::GuestShare{.guarantee = 3'000'000};
  start_reading(test_driver());
  // Each connection to this driver has a world of its own: the reading one does not see what the other sets.
  ASSERT_TRUE(wait_for([&] {
    const auto guest = manager_->vms("web")->at(0).guest;
    return guest && guest->memory && guest->cpu;
  }));
  const auto guests = json({"guest", "list"});
  EXPECT_EQ(guests[0]["memory_decision"]["limit"], 1536ull << 20);
  EXPECT_THAT(guests[0]["cpu_decision"]["error"].get<std::string>(), HasSubstr("cannot limit CPU time"));
  EXPECT_EQ(guests[0]["memory_decision"]["error"], "") << "that was not refused";
  EXPECT_THAT(foreflow({"guest", "list"}).out, HasSubstr("(refused)"));
  EXPECT_THAT(foreflow({"vm", "show", "web"}).out, HasSubstr("memory limit"));
}

TEST_F(ManagerGuestTest, ARuleOfThePolicyEnablesThem) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  start_reading(test_driver());
  ASSERT_TRUE(wait_for([&] { return manager_->vms("web")->at(0).guest.has_value(); }));
  EXPECT_FALSE(manager_->vms("web")->at(0).guest->memory) << "off unless enabled";
  const auto policy = folder_ / "policy.toml";
  std::ofstream(policy) << "[[vm]]\nname = \"web\"\nmemory = {guarantee = \"1536MiB\"}\n";
  EXPECT_THAT(foreflow({"policy", "diff", policy.string()}).out, HasSubstr("vm web memory"));
  ASSERT_EQ(foreflow({"policy", "apply", policy.string()}).code, ExitCode::kDone);
  ASSERT_TRUE(wait_for([&] {
    const auto guest = manager_->vms("web")->at(0).guest;
    return guest && guest->memory && guest->memory->limit == 1536ull << 20;
  }));
  EXPECT_FALSE(manager_->vms("web")->at(0).guest->cpu) << "of which the rule says nothing";
}

TEST_F(ManagerGuestTest, CpuAndMemoryAreExplainedAndReplayedLikeTraffic) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  memory_ = model::GuestShare{.guarantee = 1536ull << 20};
  cpu_ = model::GuestShare{.guarantee = 3'000'000};
  start_reading(test_driver());
  const auto side = [&](const std::string& name) -> nlohmann::ordered_json {
    const auto explained = json({"explain", "vm", "web"});
    for (const auto& one : explained["directions"])
      if (one["direction"] == name) return one;
    return nullptr;
  };
  ASSERT_TRUE(wait_for([&] {
    const auto guest = manager_->vms("web")->at(0).guest;
    return guest && guest->memory && guest->memory->limit;
  }));
  ASSERT_TRUE(wait_for([&] { return !side("memory").is_null(); })) << foreflow({"explain", "vm", "web"}).out;
  EXPECT_EQ(side("memory")["guarantee"], 1536ull << 20);
  EXPECT_EQ(side("memory")["pir"], json({"guest", "list"})[0]["memory_decision"]["limit"]);
  EXPECT_THAT(side("CPU")["counterfactuals"].dump(), HasSubstr("without its guarantee of 3.00 CPUs"));
  EXPECT_FALSE(side("egress").is_null());
  const auto text = foreflow({"explain", "vm", "web"}).out;
  EXPECT_THAT(text, HasSubstr("memory: allocation 1.61 GB, by now 1.61 GB"));
  EXPECT_THAT(text, HasSubstr("CPU: allocation 3.00 CPUs"));
  EXPECT_THAT(foreflow({"audit", "replay"}).out, HasSubstr("identical"));
}

TEST_F(ManagerGuestTest, AReloadReadsOtherHypervisors) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  start_reading("qemu:///system?socket=" + (folder_ / "no-such-socket").string());
  auto settings = config();
  settings.fleet.hypervisors = {{"node1", test_driver(), kNanosPerSecond}};
  ASSERT_TRUE(manager_->reload(settings));
  EXPECT_TRUE(wait_for([&] { return manager_->hypervisors("node1")->at(0).live.connected; }));
  settings.fleet.hypervisors.clear();
  ASSERT_TRUE(manager_->reload(settings));
  EXPECT_TRUE(manager_->hypervisors("")->empty());
}

TEST_F(ManagerGuestTest, SaysWhyAHypervisorIsNotRead) {
  if (!has_libvirt()) GTEST_SKIP() << "built without libvirt-dev";
  start_reading("qemu:///system?socket=" + (folder_ / "no-such-socket").string());
  ASSERT_TRUE(wait_for([&] { return manager_->hypervisors("node1")->at(0).live.failures > 0; }));
  const auto list = foreflow({"hypervisor", "list"});
  EXPECT_THAT(list.out, HasSubstr("never read"));
  EXPECT_THAT(list.out, HasSubstr("no-such-socket"));
  EXPECT_EQ(manager_->hypervisors("nod1").error().message,
            "there is no hypervisor of host 'nod1'; did you mean 'node1'?");
}

}  // namespace
}  // namespace foreflow::app
