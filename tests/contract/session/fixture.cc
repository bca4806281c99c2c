// SPDX-License-Identifier: Apache-2.0
#include "tests/contract/session/fixture.h"

#include <cstdlib>

#include <fmt/format.h>

#include "support/source_paths.h"

namespace foreflow::test {

TemporaryDirectory* SessionTest::certificates_ = nullptr;

void SessionTest::SetUpTestSuite() {
  certificates_ = new TemporaryDirectory;
  make_certificates("good", "--manager foreflowd --dataplane dp1 --dataplane dp2 --operator alice");
}

void SessionTest::TearDownTestSuite() {
  delete certificates_;
  certificates_ = nullptr;
}

void SessionTest::make_certificates(const std::string& set, const std::string& options) {
  const auto command = fmt::format("{}/scripts/dev-certs {} {} >/dev/null", FOREFLOW_SOURCE_DIR,
                                   (certificates_->path() / set).string(), options);
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

void SessionTest::start_manager(const std::string& set, const std::string& name) {
  const auto files = certificates(set);
  link::LinkConfig config{.listen = address_.empty() ? "127.0.0.1:0" : address_,
                          .ca = files / "ca.crt",
                          .certificate = files / (name + ".crt"),
                          .key = files / (name + ".key"),
                          .certificate_poll = std::chrono::seconds(1)};
  auto manager = link::LinkServer::start(config, handler_);
  ASSERT_TRUE(manager) << manager.error().message;
  manager_ = std::move(*manager);
  if (address_.empty()) address_ = fmt::format("127.0.0.1:{}", manager_->port());
}

telemetry::SessionConfig SessionTest::config(const std::string& name, const std::string& set) const {
  const auto files = certificates(set);
  return {.manager = address_,
          .ca = files / "ca.crt",
          .certificate = files / (name + ".crt"),
          .key = files / (name + ".key"),
          .spool_directory = directory_ / ("spool-" + name)};
}

std::unique_ptr<telemetry::Session> SessionTest::dataplane(const telemetry::SessionConfig& config,
                                                           const std::string& id, std::uint64_t boot_id) const {
  auto session = telemetry::Session::start(config, wire::Hello{.dataplane = id, .version = "1", .boot_id = boot_id});
  EXPECT_TRUE(session) << session.error().message;
  return std::move(*session);
}

wire::Report SessionTest::report(std::int64_t time) {
  wire::Report report;
  report.time = UnixNanos{time};
  report.vms.resize(3);
  return report;
}

void SessionTest::publish(telemetry::Session& session, std::int64_t from, std::int64_t to) {
  for (auto time = from; time <= to; ++time) session.publish(report(time));
}

}  // namespace foreflow::test
