// SPDX-License-Identifier: Apache-2.0
// What every Control has to do, on libvirt's test driver and on a libvirtd of the test's own with a domain in QEMU.
#include "host/guest/control.h"

#include <chrono>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/fabric/hypervisor_actuator.h"
#include "host/guest/hypervisor.h"
#include "tests/contract/hypervisor/libvirt_hosts.h"

namespace foreflow::guest {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

constexpr Bytes kMebibyte{1 << 20};

Bytes mebibytes(std::uint64_t count) { return {count * kMebibyte.value}; }

class ControlContract : public ::testing::TestWithParam<test::HostKind> {
 protected:
  void SetUp() override {
    auto started = test::start_host(GetParam());
    if (!started) GTEST_SKIP() << started.error().message;
    host_ = std::move(*started);
    auto opened = open_control(host_->uri());
    ASSERT_TRUE(opened) << opened.error().message;
    control_ = std::move(*opened);
  }
  Limits limits() {
    const auto limits = control_->limits(test::kDomain);
    EXPECT_TRUE(limits) << limits.error().message;
    return limits.value_or(Limits{});
  }
  std::unique_ptr<test::LibvirtHost> host_;
  std::unique_ptr<Control> control_;
};

TEST_P(ControlContract, TellsWhatADomainWasMadeWith) {
  const auto made = limits();
  EXPECT_EQ(made.vcpus, 1u);
  EXPECT_EQ(made.vcpus_maximum, 2u);
  EXPECT_EQ(made.memory_maximum, mebibytes(128));
  EXPECT_EQ(made.cpu, std::nullopt);
}

TEST_P(ControlContract, GivesAVcpuWhileTheDomainRuns) {
  const auto set = control_->set_vcpus(test::kDomain, 2);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(limits().vcpus, 2u);
}

TEST_P(ControlContract, RefusesMoreThanTheDomainWasMadeWith) {
  const auto vcpus = control_->set_vcpus(test::kDomain, 3);
  ASSERT_FALSE(vcpus);
  EXPECT_EQ(vcpus.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(vcpus.error().message, HasSubstr("3 vCPUs are not possible; 1 to 2"));
  const auto memory = control_->set_memory(test::kDomain, mebibytes(129));
  ASSERT_FALSE(memory);
  EXPECT_EQ(memory.error().code, ErrorCode::kInvalidArgument);
  EXPECT_THAT(memory.error().message, HasSubstr("it was made with"));
  EXPECT_FALSE(control_->set_vcpus(test::kDomain, 0));
  EXPECT_FALSE(control_->set_memory(test::kDomain, Bytes{0}));
  EXPECT_EQ(limits().vcpus, 1u);
}

TEST_P(ControlContract, ADomainThatDoesNotRunIsNotFound) {
  constexpr const char* kStranger = "00000000-0b5e-4d0c-8f0e-3a1f5c7d9e21";
  EXPECT_EQ(control_->limits(kStranger).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(control_->set_memory(kStranger, mebibytes(1)).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(control_->limit_cpu(kStranger, kOneCpu).error().code, ErrorCode::kNotFound);
}

TEST_P(ControlContract, LimitsCpuTimeOrSaysWhyNot) {
  const auto set = control_->limit_cpu(test::kDomain, CpuMicros{200'000});
  if (!limits().limits_cpu) {
    ASSERT_FALSE(set);
    EXPECT_EQ(set.error().code, ErrorCode::kUnsupported);
    EXPECT_THAT(set.error().message, HasSubstr("cannot limit CPU time"));
    return;
  }
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(limits().cpu, CpuMicros{200'000});
  ASSERT_TRUE(control_->limit_cpu(test::kDomain, std::nullopt));
  EXPECT_EQ(limits().cpu, std::nullopt);
  const auto little = control_->limit_cpu(test::kDomain, CpuMicros{1});
  EXPECT_EQ(little.error().code, ErrorCode::kInvalidArgument);
}

INSTANTIATE_TEST_SUITE_P(All, ControlContract, ::testing::Values(test::HostKind::kTestDriver, test::HostKind::kQemu),
                         [](const auto& tested) { return test::name_of(tested.param); });

// The balloon of the test driver moves at once; QEMU's moves with its guest, and this one has no driver for it.
TEST(Control, MovesTheBalloonOfTheTestDriver) {
  const auto host = test::start_host(test::HostKind::kTestDriver);
  if (!host) GTEST_SKIP() << host.error().message;
  const auto control = open_control((*host)->uri());
  ASSERT_TRUE(control) << control.error().message;
  ASSERT_TRUE((*control)->set_memory(test::kDomain, mebibytes(64)));
  EXPECT_EQ((*control)->limits(test::kDomain)->memory, mebibytes(64));
}

// The domain's firmware finds nothing to start and spins; so there is something to limit.
TEST(Control, ADomainUsesNoMoreCpuThanItsQuota) {
  const auto host = test::start_host(test::HostKind::kQemu);
  if (!host) GTEST_SKIP() << host.error().message;
  const auto control = open_control((*host)->uri());
  const auto reader = open_hypervisor((*host)->uri());
  ASSERT_TRUE(control && reader);
  ASSERT_TRUE((*control)->limit_cpu(test::kDomain, CpuMicros{100'000}));
  std::this_thread::sleep_for(500ms);  // what it was given before is used up
  const auto used = [&] { return (*reader)->domains().value().at(0).cpu_ns; };
  const auto before = used();
  const auto began = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(2s);
  const auto share =
      static_cast<double>(used() - before) / static_cast<double>((std::chrono::steady_clock::now() - began) / 1ns);
  EXPECT_LE(share, .15);
}

TEST(HypervisorActuator, SetsQuotaAndVcpusOfARealDomainAndReadsThemBack) {
  const auto host = test::start_host(test::HostKind::kQemu);
  if (!host) GTEST_SKIP() << host.error().message;
  fabric::HypervisorActuator actuator("node1", [&] { return open_control((*host)->uri()); });
  const auto applied = actuator.apply({"node1", {{VmId{1}, test::kDomain, CpuMicros{250'000}, 2u, {}}}});
  ASSERT_TRUE(applied) << applied.error().message;
  const auto seen = actuator.read_back("node1")->enforcements.at(0);
  EXPECT_EQ(seen.cpu_error, "");
  ASSERT_TRUE(seen.found);
  EXPECT_EQ(seen.found->cpu, CpuMicros{250'000});
  EXPECT_EQ(seen.found->vcpus, 2u);
}

}  // namespace
}  // namespace foreflow::guest
