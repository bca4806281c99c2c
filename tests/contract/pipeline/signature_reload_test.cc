// SPDX-License-Identifier: Apache-2.0
// Signatures that change while the dataplane runs.
#include "dataplane/pipeline/signature_reload.h"

#include <chrono>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/contract/pipeline/testbed.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::pipeline {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string signature_of(const std::string& protocol) {
  return "category = \"database\"\n[[protocol]]\nname = \"" + protocol +
         "\"\ntransport = [\"tcp\"]\n[[protocol.pattern]]\nregex = 'hello'\nconfidence = 90\n";
}

class SignatureReloadTest : public ::testing::Test {
 protected:
  SignatureReloadTest() {
    wire::DesiredState desired;
    desired.vms = {{VmId{1}, "one", {{"vm", mac(1), Segment{0}}}}};
    bed_.apply(desired);
    std::filesystem::create_directories(folder_ / "signatures/office");
    write("a.toml", signature_of("first"));
    write("office/a.toml", signature_of("office"));
    EXPECT_TRUE(reload_.start(bed_.configurator(), {}));
    bed_.run();
  }

  void write(const std::string& file, const std::string& text) { std::ofstream(folder_ / "signatures" / file) << text; }
  std::weak_ptr<Signatures> in_use() { return bed_.engine().publisher().current()->signatures; }

  // Ticks and traffic until everything is done. What was told, in order.
  std::vector<Problem> settle() {
    std::vector<Problem> told;
    for (int i = 0; i < 20'000 && !(reload_.is_idle() && !bed_.configurator().busy()); ++i) {
      if (auto item = reload_.tick(bed_.configurator())) told.push_back(*item);
      watch();
      put_packet();
      bed_.run();
      bed_.configurator().finish();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return told;
  }
  // While one is made, of all others only the one in use may be left.
  void watch() {
    if (const auto now = in_use(); seen_.empty() || now.lock() != seen_.back().lock()) seen_.push_back(now);
    std::size_t alive = 0;
    for (const auto& signatures : seen_) alive += signatures.expired() ? 0 : 1;
    most_while_compiling_ = std::max(most_while_compiling_, reload_.is_compiling() ? alive : 0);
  }
  void put_packet() {
    bed_.put("vm", 0, make_frame({.source = mac(1), .destination = mac(0xfe), .source_port = ++port_}));
    ++put_;
  }

  // What a new flow that says hello is taken for.
  std::string protocol() {
    bed_.put("vm", 0,
             make_frame({.source = mac(1),
                         .destination = mac(0xfe),
                         .protocol = 6,
                         .source_port = ++port_,
                         .payload = "hello, this is a payload of some length"}));
    ++put_;
    bed_.run();
    for (const auto& worker : bed_.engine().workers()) worker->top_flows().request();
    for (int round = 0; round < 200; ++round) bed_.run();
    const auto report = bed_.report();
    for (const auto& flow : report.top_flows)
      if (flow.local.ends_with(":" + std::to_string(port_))) return flow.protocol;
    return "no such flow";
  }

  test::TemporaryDirectory folder_;
  Testbed bed_{1, {{"vm"}, {"uplink", config::PortRole::kUplink}}};
  Background background_{nullptr};
  SignatureReload reload_{background_, {folder_ / "signatures", folder_ / "cache"}, 1};
  std::vector<std::weak_ptr<Signatures>> seen_;
  std::size_t most_while_compiling_ = 0;
  std::uint16_t port_ = 2'000;
  std::size_t put_ = 0;
};

TEST_F(SignatureReloadTest, WhatIsAskedForIsInUseAfterwardsWithoutALostPacket) {
  EXPECT_EQ(protocol(), "first");
  write("a.toml", signature_of("second"));
  reload_.ask();
  const auto told = settle();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, kReloaded);
  EXPECT_EQ(protocol(), "second");
  EXPECT_EQ(bed_.sent("uplink").size(), put_);
}

TEST_F(SignatureReloadTest, AfterASmallerSetItsOwnProtocolsAreCounted) {
  write("b.toml", signature_of("another"));
  reload_.ask();
  EXPECT_THAT(settle().at(0).text, HasSubstr(": 2"));
  std::filesystem::remove(folder_ / "signatures/b.toml");
  reload_.ask();
  EXPECT_THAT(settle().at(0).text, HasSubstr(": 1"));
}

TEST_F(SignatureReloadTest, ABrokenFileIsToldByLineAndTheOldSignaturesStay) {
  write("b.toml", "category = \"web\"\n[[protocol\n");
  reload_.ask();
  const auto told = settle();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].kind, kReloadFailed);
  EXPECT_THAT(told[0].text, HasSubstr("b.toml:2"));
  EXPECT_EQ(protocol(), "first");
}

TEST_F(SignatureReloadTest, HoweverOftenItIsAskedThereAreAtMostTwoDatabases) {
  for (int i = 0; i < 5; ++i) {
    write("a.toml", signature_of("version" + std::to_string(i)));
    reload_.ask();
    reload_.tick(bed_.configurator());
    watch();
  }
  const auto told = settle();
  EXPECT_GE(told.size(), 1u);
  EXPECT_LE(told.size(), 3u) << "those who ask meanwhile are answered together";
  EXPECT_EQ(protocol(), "version4");
  EXPECT_EQ(most_while_compiling_, 1u);
  EXPECT_EQ(bed_.sent("uplink").size(), put_);
}

TEST_F(SignatureReloadTest, ADesiredStateChoosesTheSetAndAsksByItsRevision) {
  reload_.follow({.signature_set = "office"});
  settle();
  EXPECT_EQ(protocol(), "office");
  reload_.follow({.signature_set = "office"});
  EXPECT_TRUE(reload_.is_idle()) << "nothing new is asked for";
  write("office/a.toml", signature_of("office_two"));
  reload_.follow({.signature_set = "office", .signature_revision = 1});
  settle();
  EXPECT_EQ(protocol(), "office_two");
}

TEST_F(SignatureReloadTest, ASetThatIsNotInstalledIsToldAndTheOldOneStays) {
  for (const auto* name : {"factory", "../signatures", ".", ".."}) {
    reload_.follow({.signature_set = name});
    const auto told = settle();
    ASSERT_EQ(told.size(), 1u) << name;
    EXPECT_THAT(told[0].text, AllOf(HasSubstr(name), HasSubstr("not installed")));
  }
  EXPECT_EQ(protocol(), "first");
}

}  // namespace
}  // namespace foreflow::pipeline
