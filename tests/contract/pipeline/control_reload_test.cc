// SPDX-License-Identifier: Apache-2.0
// SIGHUP to a running dataplane: the control thread reloads the signatures, and goes on.
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <pthread.h>

#include "dataplane/pipeline/control.h"
#include "tests/contract/pipeline/absent_manager.h"
#include "tests/contract/pipeline/testbed.h"

namespace foreflow::pipeline {
namespace {

void write_signature(const std::filesystem::path& folder, const std::string& protocol) {
  std::ofstream(folder / (protocol + ".toml"))
      << "category = \"database\"\n[[protocol]]\nname = \"" << protocol
      << "\"\ntransport = [\"tcp\"]\n[[protocol.pattern]]\nregex = '" << protocol << "'\nconfidence = 90\n";
}

TEST(ControlReload, SighupBringsTheSignaturesThatAreThereNow) {
  AbsentManager manager(1);
  auto& config = manager.config();
  config.signatures = manager.file("signatures");
  std::filesystem::create_directories(config.signatures);
  write_signature(config.signatures, "first");
  Testbed bed(1, {{"a"}, {"uplink", config::PortRole::kUplink}});
  auto signals = Signals::block();
  ASSERT_TRUE(signals);
  const auto hello = make_hello(config, bed.ports(), {});
  const auto session = manager.connect(hello);
  ASSERT_TRUE(session);
  Background background([] {});
  offload::Enforcer enforcer(nullptr);
  Control control({config, bed.ports(), bed.engine(), enforcer, *session, background, hello, {}});
  ASSERT_TRUE(control.prepare());
  const auto covered = [&bed] {
    return bed.engine().publisher().current()->signatures->classifier->covered_protocols();
  };
  ASSERT_EQ(covered(), 1u);

  write_signature(config.signatures, "second");
  ASSERT_EQ(std::raise(SIGHUP), 0);  // waits until it is asked for
  const auto signatures = [&bed] { return bed.engine().publisher().current()->signatures.get(); };
  std::thread worker([&bed, signatures, control_thread = pthread_self(), before = signatures()] {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (signatures() == before && std::chrono::steady_clock::now() < end) bed.poll(0);
    pthread_kill(control_thread, SIGTERM);  // other threads do not block it
  });
  control.run(*signals);
  worker.join();
  EXPECT_EQ(covered(), 2u);
  bed.engine().stop();
}

}  // namespace
}  // namespace foreflow::pipeline
