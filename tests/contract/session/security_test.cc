// SPDX-License-Identifier: Apache-2.0
// Who is refused, and that the reason is said.
#include <fstream>
#include <sstream>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/wire/credentials.h"
#include "tests/contract/session/fixture.h"

namespace foreflow::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Security : public SessionTest {
 protected:
  // The reason that the dataplane gives, after it had time to try.
  std::string refusal(const telemetry::SessionConfig& config, const std::string& id = "dp1") const {
    const auto session = dataplane(config, id);
    EXPECT_TRUE(eventually([&] { return session->last_error() != "not connected yet"; }));
    EXPECT_FALSE(session->connected());
    return session->last_error();
  }
};

TEST_F(Security, ADataplaneUnderAnothersNameIsRefusedByName) {
  start_manager();
  const auto why = refusal(config("dp2"), "dp1");
  EXPECT_THAT(why, HasSubstr("hello names dataplane 'dp1', but its certificate is that of 'dp2'"));
  EXPECT_GE(manager_->refused_sessions(), 1u);
  EXPECT_THAT(handler_.hellos(), IsEmpty());
}

TEST_F(Security, AnOperatorIsNoDataplane) {
  start_manager();
  EXPECT_THAT(refusal(config("alice"), "alice"), HasSubstr("is that of operator 'alice', expected a dataplane's"));
}

TEST_F(Security, WhatTheHandlerRefusesIsToldToTheDataplane) {
  start_manager();
  handler_.answer_hello(fail(ErrorCode::kDenied, "dataplane 'dp1' is not in the configuration"));
  EXPECT_THAT(refusal(config()), HasSubstr("dataplane 'dp1' is not in the configuration"));
}

TEST_F(Security, ACertificateThatItsOwnCaDidNotSignIsNamedByTheDataplaneItself) {
  make_certificates("stranger", "--dataplane dp1");
  start_manager();
  auto stranger = config("dp1", "stranger");
  stranger.ca = certificates("good") / "ca.crt";
  const auto why = refusal(stranger);
  EXPECT_THAT(why, HasSubstr("certificate of 'dp1'"));
  EXPECT_THAT(why, HasSubstr("unable to get local issuer certificate"));
  EXPECT_THAT(handler_.hellos(), IsEmpty());
}

TEST_F(Security, AStrangersDataplaneIsRefusedByTheManagerAndBothSayWhy) {
  make_certificates("stranger", "--dataplane dp1");
  start_manager();
  auto stranger = config("dp1", "stranger");
  stranger.ca = directory_ / "both.crt";  // trusts the manager and itself; the manager does not trust it
  std::ofstream(stranger.ca) << std::ifstream(certificates("good") / "ca.crt").rdbuf()
                             << std::ifstream(certificates("stranger") / "ca.crt").rdbuf();
  testing::internal::CaptureStderr();
  const auto why = refusal(stranger);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(why, HasSubstr("the manager may refuse " + stranger.certificate.string()));
  EXPECT_THAT(log, HasSubstr("the peer's certificate has expired or is not signed by our CA"));
  EXPECT_THAT(handler_.hellos(), IsEmpty());
}

TEST_F(Security, AStrangersManagerIsRefusedByTheDataplane) {
  make_certificates("stranger", "--manager foreflowd");
  start_manager("stranger");
  EXPECT_THAT(refusal(config()), HasSubstr("the manager's certificate has expired or is not signed by"));
  EXPECT_THAT(handler_.hellos(), IsEmpty());
}

TEST_F(Security, AnExpiredManagerIsRefusedByTheDataplane) {
  make_certificates("good", "--days 0 --manager old");
  start_manager("good", "old");
  EXPECT_THAT(refusal(config()), HasSubstr("the manager's certificate has expired or is not signed by"));
}

TEST_F(Security, AManagerOfAnotherNameIsRefusedByTheDataplane) {
  start_manager();
  auto wrong = config();
  wrong.server_name = "elsewhere";
  EXPECT_THAT(refusal(wrong), HasSubstr("elsewhere"));
}

TEST_F(Security, AnExpiredCertificateIsNamedByTheDataplaneItself) {
  make_certificates("good", "--days 0 --dataplane dp3");
  start_manager();
  const auto why = refusal(config("dp3"), "dp3");
  EXPECT_THAT(why, HasSubstr("dp3.crt"));
  EXPECT_THAT(why, HasSubstr("certificate has expired"));
}

TEST_F(Security, ReplacedFilesAreTakenUpWithoutRestart) {
  make_certificates("rotating", "--manager foreflowd --dataplane dp1");
  const auto files = certificates("rotating");
  std::filesystem::create_directory(directory_ / "certificates");
  const auto install = [&](const std::filesystem::path& from) {
    for (const auto* name : {"ca.crt", "foreflowd.crt", "foreflowd.key"}) {
      std::filesystem::copy_file(from / name, directory_ / "new");
      std::filesystem::rename(directory_ / "new", directory_ / "certificates" / name);
    }
  };
  install(certificates("good"));
  auto manager = link::LinkServer::start({.listen = "127.0.0.1:0",
                                          .ca = directory_ / "certificates" / "ca.crt",
                                          .certificate = directory_ / "certificates" / "foreflowd.crt",
                                          .key = directory_ / "certificates" / "foreflowd.key",
                                          .certificate_poll = seconds(1)},
                                         handler_);
  ASSERT_TRUE(manager) << manager.error().message;
  address_ = "127.0.0.1:" + std::to_string((*manager)->port());
  const auto session = dataplane(config("dp1", "rotating"), "dp1");
  ASSERT_TRUE(eventually([&] { return session->last_error().find("verify failed") != std::string::npos; }));
  install(files);
  EXPECT_TRUE(eventually([&] { return session->connected(); })) << session->last_error();
}

TEST_F(Security, DevCertsKeepsWhatExistsAndAddsWhatIsNew) {
  const auto content = [](const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  };
  const auto files = certificates("kept");
  make_certificates("kept", "--manager m --dataplane a");
  const auto before = content(files / "a.crt") + content(files / "ca.key");
  make_certificates("kept", "--dataplane a --dataplane b --operator o");
  EXPECT_EQ(content(files / "a.crt") + content(files / "ca.key"), before);
  for (const auto& [name, role] :
       {std::pair("m", "manager"), {"a", "dataplane"}, {"b", "dataplane"}, {"o", "operator"}}) {
    const auto credentials = wire::load_credentials(
        {files / "ca.crt", files / fmt::format("{}.crt", name), files / fmt::format("{}.key", name)});
    ASSERT_TRUE(credentials) << credentials.error().message;
    EXPECT_EQ(credentials->identity.common_name, name);
    EXPECT_EQ(credentials->identity.unit, role);
    EXPECT_TRUE(wire::check_valid(*credentials, SystemClock{}.now()));
  }
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(files / "ca.key").permissions(), perms::owner_read | perms::owner_write);
}

TEST_F(Security, WrongFilesAreNamedAtStart) {
  address_ = "127.0.0.1:1";
  const auto error = [&](const telemetry::SessionConfig& config) {
    const auto session = telemetry::Session::start(config, wire::Hello{.dataplane = "dp1"});
    return session ? std::string("started") : session.error().message;
  };
  auto wrong = config();
  wrong.key = certificates("good") / "dp2.key";
  EXPECT_THAT(error(wrong), HasSubstr("dp2.key: is not the key of"));
  wrong = config();
  wrong.certificate = directory_ / "missing.crt";
  EXPECT_THAT(error(wrong), HasSubstr("missing.crt: No such file"));
  wrong = config();
  wrong.ca = certificates("good") / "dp1.key";
  EXPECT_THAT(error(wrong), HasSubstr("dp1.key: expected a CA certificate in PEM form"));
  std::ofstream(directory_ / "garbage") << "\x01\x02garbage";
  wrong = config();
  wrong.key = directory_ / "garbage";
  EXPECT_THAT(error(wrong), HasSubstr("garbage: expected a private key"));
  const auto manager = link::LinkServer::start(
      {.listen = "127.0.0.1:0", .ca = wrong.ca, .certificate = wrong.certificate, .key = wrong.key}, handler_);
  EXPECT_THAT(manager.error().message, HasSubstr("garbage: expected a private key"));
}

TEST_F(Security, APortInUseIsAnError) {
  start_manager();
  const auto files = certificates("good");
  const auto second = link::LinkServer::start({.listen = address_,
                                               .ca = files / "ca.crt",
                                               .certificate = files / "foreflowd.crt",
                                               .key = files / "foreflowd.key"},
                                              handler_);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("cannot listen on '" + address_ + "': Address already in use"));
}

TEST_F(Security, GarbageOnThePortDoesNotHurt) {
  start_manager();
  for (const std::string& bytes : {std::string("GET / HTTP/1.0\r\n\r\n"), std::string(100'000, '\xff'),
                                   std::string("\x16\x03\x01\xff\xff", 5), std::string()}) {
    const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(static_cast<std::uint16_t>(manager_->port()))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::close(socket);
  }
  const auto session = dataplane();
  publish(*session, 1, 1);
  EXPECT_TRUE(session->flush(seconds(20))) << session->last_error();
}

}  // namespace
}  // namespace foreflow::test
