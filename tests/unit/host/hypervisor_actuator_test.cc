// SPDX-License-Identifier: Apache-2.0
#include "host/fabric/hypervisor_actuator.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace foreflow::fabric {
namespace {

using ::testing::HasSubstr;

// What the domains have; "gone" is none of them, "rigid" takes no other memory.
struct FakeDomains {
  std::map<std::string, guest::Limits> limits;
  int changes = 0;
  int connections = 0;
  bool broken = false;
};

class FakeControl final : public guest::Control {
 public:
  explicit FakeControl(FakeDomains& domains) : domains_(domains) {}
  Result<guest::Limits> limits(const std::string& uuid) override {
    if (domains_.broken) return fail(ErrorCode::kUnavailable, "the connection broke");
    if (!domains_.limits.contains(uuid)) return fail(ErrorCode::kNotFound, uuid + ": no such domain");
    return domains_.limits[uuid];
  }
  Status limit_cpu(const std::string& uuid, std::optional<guest::CpuMicros> most) override {
    ++domains_.changes;
    domains_.limits[uuid].cpu = most;
    return {};
  }
  Status set_vcpus(const std::string& uuid, std::uint32_t count) override {
    ++domains_.changes;
    domains_.limits[uuid].vcpus = count;
    return {};
  }
  Status set_memory(const std::string& uuid, Bytes memory) override {
    if (uuid == "rigid") return fail(ErrorCode::kInvalidArgument, "rigid: no");
    ++domains_.changes;
    domains_.limits[uuid].memory = memory;
    return {};
  }

 private:
  FakeDomains& domains_;
};

class HypervisorActuatorTest : public ::testing::Test {
 protected:
  HypervisorActuatorTest() {
    for (const auto* uuid : {"web", "rigid"}) domains_.limits[uuid] = {.vcpus = 1, .memory = Bytes{1'000'000}};
  }
  static GuestTarget target(const std::string& uuid, std::uint64_t memory) {
    return {"node1", {{VmId{1}, uuid, guest::CpuMicros{500'000}, 2u, Bytes{memory}}}};
  }
  FakeDomains domains_;
  HypervisorActuator actuator_{"node1", [this]() -> Result<std::unique_ptr<guest::Control>> {
                                 ++domains_.connections;
                                 return std::make_unique<FakeControl>(domains_);
                               }};
};

TEST_F(HypervisorActuatorTest, SetsWhatDiffersAndReadsItBack) {
  ASSERT_TRUE(actuator_.apply(target("web", 2'000'000)));
  EXPECT_EQ(domains_.changes, 3);
  ASSERT_TRUE(actuator_.apply(target("web", 2'000'000)));
  EXPECT_EQ(domains_.changes, 3) << "it has all of it";
  const auto seen = actuator_.read_back("node1");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->enforcements.at(0).found->memory, Bytes{2'000'000});
}

TEST_F(HypervisorActuatorTest, ADomainThatRefusesDoesNotKeepOthersFromTheirs) {
  auto both = target("rigid", 2'000'000);
  both.limits.push_back(target("web", 3'000'000).limits[0]);
  ASSERT_TRUE(actuator_.apply(both));
  EXPECT_EQ(domains_.limits["web"].memory, Bytes{3'000'000});
  const auto seen = actuator_.read_back("node1")->enforcements[0];
  EXPECT_THAT(seen.memory_error, HasSubstr("rigid: no"));
  EXPECT_EQ(seen.cpu_error, "") << "it took that";
  EXPECT_EQ(domains_.limits["rigid"].cpu, guest::CpuMicros{500'000});
}

TEST_F(HypervisorActuatorTest, ConnectsAgainAfterTheConnectionBroke) {
  domains_.broken = true;
  EXPECT_EQ(actuator_.apply(target("web", 2'000'000)).error().code, ErrorCode::kUnavailable);
  domains_.broken = false;
  EXPECT_TRUE(actuator_.apply(target("web", 2'000'000)));
  EXPECT_EQ(domains_.connections, 2);
}

TEST_F(HypervisorActuatorTest, GoesBackToTheTargetBefore) {
  EXPECT_EQ(actuator_.revert("node1").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(actuator_.apply(target("web", 2'000'000)));
  ASSERT_TRUE(actuator_.apply(target("web", 3'000'000)));
  ASSERT_TRUE(actuator_.revert("node1"));
  EXPECT_EQ(domains_.limits["web"].memory, Bytes{2'000'000});
}

TEST_F(HypervisorActuatorTest, RefusesWhatNoDomainCouldHave) {
  EXPECT_EQ(actuator_.apply(target("web", 0)).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(actuator_.apply({"node2", {}}).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(domains_.connections, 0);
}

}  // namespace
}  // namespace foreflow::fabric
