// SPDX-License-Identifier: Apache-2.0
// SIGHUP to a running dataplane: the control thread reloads the signatures, and goes on.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include "dataplane/pipeline/control.h"
#include "support/source_paths.h"
#include "tests/contract/pipeline/testbed.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::pipeline {
namespace {

void write_signature(const std::filesystem::path& folder, const std::string& protocol) {
  std::ofstream(folder / (protocol + ".toml"))
      << "category = \"database\"\n[[protocol]]\nname = \"" << protocol
      << "\"\ntransport = [\"tcp\"]\n[[protocol.pattern]]\nregex = '" << protocol << "'\nconfidence = 90\n";
}

TEST(ControlReload, SighupBringsTheSignaturesThatAreThereNow) {
  const test::TemporaryDirectory directory;
  const auto files = directory / "tls";
  const auto make = fmt::format("{}/scripts/dev-certs {} --manager foreflowd --dataplane dp1 >/dev/null",
                                FOREFLOW_SOURCE_DIR, files.string());
  ASSERT_EQ(std::system(make.c_str()), 0) << make;
  Testbed bed(1, {{"a"}, {"uplink", config::PortRole::kUplink}});
  config::Config config;
  config.id = "dp1";
  config.workers = 1;
  config.state_dir = directory.path();
  config.signatures = directory / "signatures";
  std::filesystem::create_directories(config.signatures);
  write_signature(config.signatures, "first");
  auto signals = Signals::block();
  ASSERT_TRUE(signals);
  const auto hello = make_hello(config, bed.ports(), {});
  auto session = telemetry::Session::start({.manager = "unix:" + (directory / "nobody").string(),
                                            .ca = files / "ca.crt",
                                            .certificate = files / "dp1.crt",
                                            .key = files / "dp1.key",
                                            .spool_directory = directory / "spool"},
                                           hello);
  ASSERT_TRUE(session) << session.error().message;
  Background background([] {});
  offload::Enforcer enforcer(nullptr);
  Control control({config, bed.ports(), bed.engine(), enforcer, **session, background, hello, {}});
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
