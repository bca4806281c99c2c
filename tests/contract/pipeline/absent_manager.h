// SPDX-License-Identifier: Apache-2.0
// A session whose manager never answers, so that every report stays in its spool, with all that a Control needs of it.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "common/wire/messages.h"
#include "dataplane/config/config.h"
#include "dataplane/telemetry/session.h"
#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::pipeline {

class AbsentManager {
 public:
  // A configuration of `workers` workers that keeps its state in a directory of this test and knows no signatures.
  explicit AbsentManager(std::uint32_t workers) {
    config_.id = "dp1";
    config_.workers = workers;
    config_.state_dir = directory_.path();
    config_.signatures.clear();
  }

  config::Config& config() { return config_; }
  std::filesystem::path spool() const { return directory_ / "spool"; }
  std::filesystem::path file(const char* name) const { return directory_ / name; }

  // Fails the test and returns nothing when the certificates or the session cannot be made.
  std::unique_ptr<telemetry::Session> connect(const wire::Hello& hello) const {
    const auto tls = directory_ / "tls";
    const auto make = fmt::format("{}/scripts/dev-certs {} --manager foreflowd --dataplane dp1 >/dev/null",
                                  FOREFLOW_SOURCE_DIR, tls.string());
    EXPECT_EQ(std::system(make.c_str()), 0) << make;
    auto session = telemetry::Session::start({.manager = "unix:" + (directory_ / "nobody").string(),
                                              .ca = tls / "ca.crt",
                                              .certificate = tls / "dp1.crt",
                                              .key = tls / "dp1.key",
                                              .spool_directory = spool()},
                                             hello);
    if (!session) ADD_FAILURE() << session.error().message;
    return session ? *std::move(session) : nullptr;
  }

 private:
  test::TemporaryDirectory directory_;
  config::Config config_;
};

}  // namespace foreflow::pipeline
