// SPDX-License-Identifier: Apache-2.0
// What hypervisors say, as samples of VMs.
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/guest/domain_stats.h"
#include "host/guest/identity.h"
#include "host/guest/sampler.h"
#include "host/store/aggregate.h"
#include "host/store/guest_points.h"
#include "tests/unit/host/fleet_fixture.h"

namespace foreflow::guest {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kUuid = "6b2d3f0e-0b5e-4d0c-8f0e-3a1f5c7d9e21";

UnixNanos at(std::int64_t seconds) { return {seconds * static_cast<std::int64_t>(kNanosPerSecond)}; }

Domain filled(const std::vector<std::pair<std::string, std::uint64_t>>& statistics) {
  DomainStats stats;
  for (const auto& [name, value] : statistics) stats.put(name, value);
  Domain domain;
  stats.fill(domain);
  return domain;
}

Domain domain(std::uint64_t cpu_ns, int id = 1) {
  return {.uuid = kUuid, .name = "guest-web", .id = id, .cpu_ns = cpu_ns, .vcpus = 2, .vcpus_maximum = 4};
}

TEST(DomainStats, SumsDisksAndTheWaitingOfVcpus) {
  const auto read = filled({{"cpu.time", 7},
                            {"vcpu.current", 2},
                            {"vcpu.maximum", 4},
                            {"vcpu.0.delay", 5},
                            {"vcpu.1.delay", 6},
                            {"vcpu.0.time", 99},
                            {"block.count", 2},
                            {"block.0.rd.bytes", 100},
                            {"block.1.rd.bytes", 23},
                            {"block.0.wr.reqs", 3},
                            {"block.1.fl.reqs", 1}});
  EXPECT_EQ(read.cpu_ns, 7u);
  EXPECT_EQ(read.vcpus, 2u);
  EXPECT_EQ(read.vcpus_maximum, 4u);
  EXPECT_EQ(read.waited_ns, 11u);
  EXPECT_EQ(read.disk.read_bytes, 123u);
  EXPECT_EQ(read.disk.write_requests, 3u);
  EXPECT_EQ(read.disk.flush_requests, 1u);
}

TEST(DomainStats, MemoryIsInUseAsFarAsTheBalloonDriverSaysSo) {
  const auto told = filled(
      {{"balloon.current", 1000}, {"balloon.maximum", 2000}, {"balloon.usable", 400}, {"balloon.last-update", 9}});
  EXPECT_EQ(told.memory.current, Bytes{1'024'000});
  EXPECT_EQ(told.memory.maximum, Bytes{2'048'000});
  EXPECT_EQ(told.memory.used, Bytes{614'400});
  const auto never_asked = filled({{"balloon.current", 1000}, {"balloon.usable", 400}, {"balloon.last-update", 0}});
  EXPECT_EQ(never_asked.memory.used, std::nullopt);
}

TEST(DomainStats, SaturatesAndIgnoresWhatItDoesNotKnow) {
  const auto read = filled({{"balloon.rss", UINT64_MAX},
                            {"block.0.rd.bytes", UINT64_MAX},
                            {"block.1.rd.bytes", 2},
                            {"vcpu..delay", 3},
                            {"vcpu.x.delay", 3},
                            {"block.", 1},
                            {"", 1}});
  EXPECT_EQ(read.memory.rss, Bytes{UINT64_MAX});
  EXPECT_EQ(read.disk.read_bytes, UINT64_MAX);
  EXPECT_EQ(read.waited_ns, std::nullopt);
}

TEST(DomainXml, GivesTheMacsOfItsInterfacesAlone) {
  const auto macs = macs_of(
      "<domain type='kvm'><metadata><x:interface xmlns:x='urn:x'><mac address='52:54:00:00:00:09'/></x:interface>"
      "</metadata><devices><disk/><interface type='bridge'><mac address='52:54:00:00:00:01'/></interface>"
      "<interface type='vhostuser'><mac address='52:54:00:00:00:02'/></interface></devices></domain>");
  ASSERT_TRUE(macs) << macs.error().message;
  EXPECT_THAT(*macs, ElementsAre(MacAddress{{0x52, 0x54, 0, 0, 0, 1}}, MacAddress{{0x52, 0x54, 0, 0, 0, 2}}));
}

TEST(DomainXml, OfAnythingElseIsMalformed) {
  for (const auto* text : {"", "<domain>", "<network/>", "\x01", "<domain><devices>"})
    EXPECT_FALSE(macs_of(text)) << text;
}

TEST(Sampler, ABalloonDriverThatHasFallenSilentSaysNothingOfMemory) {
  Sampler sampler;
  auto told = domain(1'000);
  told.memory.used = Bytes{5};
  told.memory.told_at = 7;
  sampler.observe(told, VmId{1}, at(10));
  EXPECT_EQ(sampler.observe(told, VmId{1}, at(60))->memory.used, Bytes{5});
  EXPECT_EQ(sampler.observe(told, VmId{1}, at(80))->memory.used, std::nullopt);
  told.memory.told_at = 8;
  EXPECT_EQ(sampler.observe(told, VmId{1}, at(85))->memory.used, Bytes{5});
}

TEST(Sampler, TellsWhatHappenedBetweenTwoReadings) {
  Sampler sampler;
  EXPECT_FALSE(sampler.observe(domain(1'000), VmId{1}, at(10)));
  auto next = domain(4'000);
  next.disk.read_bytes = 512;
  const auto sample = sampler.observe(next, VmId{1}, at(15));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->interval_ns, 5 * kNanosPerSecond);
  EXPECT_EQ(sample->cpu_ns, 3'000u);
  EXPECT_EQ(sample->disk.read_bytes, 512u);
  EXPECT_EQ(sample->waited_ns, std::nullopt);
}

TEST(Sampler, BeginsAnewWhenADomainWasStartedAgain) {
  Sampler sampler;
  sampler.observe(domain(1'000, 1), VmId{1}, at(1));
  EXPECT_FALSE(sampler.observe(domain(5'000, 2), VmId{1}, at(2))) << "another id: the total is of another process";
  EXPECT_FALSE(sampler.observe(domain(100, 2), VmId{1}, at(3))) << "a total that falls";
  EXPECT_EQ(sampler.resets(), 2u);
  EXPECT_EQ(sampler.observe(domain(150, 2), VmId{1}, at(4))->cpu_ns, 50u);
}

TEST(Sampler, WaitsForAClockThatWasSetBack) {
  Sampler sampler;
  sampler.observe(domain(1'000), VmId{1}, at(10));
  EXPECT_FALSE(sampler.observe(domain(2'000), VmId{1}, at(9)));
  EXPECT_EQ(sampler.observe(domain(2'500), VmId{1}, at(10))->cpu_ns, 500u);
}

TEST(Sampler, DoesNotTakeAVcpuThatWasUnpluggedForAStart) {
  Sampler sampler;
  auto before = domain(1'000);
  before.waited_ns = 50;
  sampler.observe(before, VmId{1}, at(1));
  auto after = domain(1'100);
  after.waited_ns = 20;
  const auto sample = sampler.observe(after, VmId{1}, at(2));
  ASSERT_TRUE(sample);
  EXPECT_EQ(sample->waited_ns, std::nullopt);
  EXPECT_EQ(sampler.resets(), 0u);
}

TEST(Sampler, ForgetsDomainsThatAreGone) {
  Sampler sampler;
  sampler.observe(domain(1'000), VmId{1}, at(1));
  sampler.retain({});
  EXPECT_FALSE(sampler.observe(domain(2'000), VmId{1}, at(2)));
  EXPECT_EQ(sampler.resets(), 0u);
}

TEST(Identity, IsTheUuidWhereTheVmHasOneElseTheMac) {
  auto fleet = small_fleet();
  fleet.vms[1].uuid = kUuid;
  const std::vector<Domain> domains{
      {.uuid = "00000000-0000-0000-0000-000000000001", .name = "a", .macs = {fleet.vms[0].attachments[0].mac}},
      {.uuid = "00000000-0000-0000-0000-000000000002", .name = "b", .macs = {fleet.vms[1].attachments[0].mac}},
      {.uuid = kUuid, .name = "c"}};
  const auto found = identify(fleet, "node1", domains);
  ASSERT_EQ(found.pairs.size(), 2u);
  EXPECT_EQ(found.pairs[0].first->name, "a");
  EXPECT_EQ(found.pairs[0].second->name, "web");
  EXPECT_EQ(found.pairs[1].first->name, "c");
  EXPECT_EQ(found.pairs[1].second->name, "db");
  EXPECT_THAT(found.unknown, ElementsAre("b"));
  EXPECT_TRUE(identify(fleet, "node2", domains).pairs.empty()) << "its VMs run elsewhere";
}

TEST(Identity, OfAVmIsClaimedOnce) {
  const auto fleet = small_fleet();
  const auto mac = fleet.vms[0].attachments[0].mac;
  const std::vector<Domain> domains{{.uuid = "2", .name = "clone", .macs = {mac}},
                                    {.uuid = "1", .name = "web", .macs = {mac}}};
  const auto found = identify(fleet, "node1", domains);
  ASSERT_EQ(found.pairs.size(), 1u);
  EXPECT_EQ(found.pairs[0].first->name, "web");
  EXPECT_THAT(found.conflicts, ElementsAre(HasSubstr("not also 'clone'")));
}

TEST(GuestPoint, KeepsWhatIsNotToldApartFromZero) {
  model::GuestSample sample{.vm = VmId{1}, .time = at(60), .interval_ns = 5 * kNanosPerSecond, .cpu_ns = 7};
  const auto point = store::guest_point(sample, {"node1", "dpu0", "web"});
  EXPECT_EQ(point.measurement, store::Measurement::kVmGuest);
  const auto has = [](const store::Point& p, std::string_view name) {
    return std::ranges::any_of(p.fields, [&](const auto& field) { return field.first == name; });
  };
  EXPECT_TRUE(has(point, "cpu_ns"));
  EXPECT_FALSE(has(point, "memory_used_bytes"));
  EXPECT_FALSE(has(point, "waited_ns"));
  sample.memory.used = Bytes{0};
  EXPECT_TRUE(has(store::guest_point(sample, {"node1", "dpu0", "web"}), "memory_used_bytes"));
}

TEST(GuestPoint, InTiersSumsTimeAndKeepsTheMostMemory) {
  std::vector<store::Point> raw;
  for (const std::uint64_t second : {10, 20, 30}) {
    model::GuestSample sample{
        .vm = VmId{1}, .time = at(static_cast<std::int64_t>(second)), .interval_ns = 10 * kNanosPerSecond, .cpu_ns = 5};
    sample.memory.current = {second == 20 ? 300u : 100u};
    raw.push_back(store::guest_point(sample, {"node1", "dpu0", "web"}));
  }
  const auto tier = store::aggregate(raw, store::Resolution::k1Min, at(0));
  ASSERT_EQ(tier.size(), 1u);
  std::map<std::string, store::Value> fields(tier[0].fields.begin(), tier[0].fields.end());
  EXPECT_EQ(fields["cpu_ns"], store::Value(std::int64_t{15}));
  EXPECT_EQ(fields["memory_current_bytes"], store::Value(std::int64_t{300}));
  EXPECT_EQ(fields["interval_ms"], store::Value(std::int64_t{30'000}));
}

}  // namespace
}  // namespace foreflow::guest
