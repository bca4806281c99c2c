// SPDX-License-Identifier: Apache-2.0
// What `foreflow-dataplane --check` says about the files that a configuration names.
#include "dataplane/config/preflight.h"

#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/clock.h"
#include "support/source_paths.h"
#include "tests/support/temporary_directory.h"

namespace foreflow::config {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class Preflight : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = std::make_unique<test::TemporaryDirectory>();
    const auto make = [](const std::filesystem::path& folder, const std::string& options) {
      const auto command = FOREFLOW_SOURCE_DIR "/scripts/dev-certs " + folder.string() + options + " >/dev/null";
      ASSERT_EQ(std::system(command.c_str()), 0);
    };
    make(certificates_->path(), " --dataplane dpu0 --dataplane dpu1");
    make(*certificates_ / "old", " --dataplane dpu0 --days 0");
  }
  static void TearDownTestSuite() { certificates_.reset(); }

  static std::string why(const Config& config) {
    const auto good = preflight(config, {0, 1}, SystemClock{}.now());
    return good ? "good" : good.error().message;
  }
  static Config config() {
    Config config{.id = "dpu0", .signatures = FOREFLOW_SOURCE_DIR "/configs/signatures"};
    config.manager = {.address = "127.0.0.1:1",
                      .ca = *certificates_ / "ca.crt",
                      .certificate = *certificates_ / "dpu0.crt",
                      .key = *certificates_ / "dpu0.key"};
    return config;
  }

  static inline std::unique_ptr<test::TemporaryDirectory> certificates_;
  test::TemporaryDirectory folder_;
};

TEST_F(Preflight, AGoodConfigurationHasNothingToSay) { EXPECT_EQ(why(config()), "good"); }

TEST_F(Preflight, NamesTheCertificateThatIsMissing) {
  auto bad = config();
  bad.manager.certificate = folder_ / "absent.crt";
  EXPECT_THAT(why(bad), AllOf(HasSubstr("absent.crt"), HasSubstr("No such file")));
}

TEST_F(Preflight, NamesEveryFileThatIsMissing) {
  auto bad = config();
  bad.manager.ca = folder_ / "absent-ca.crt";
  bad.manager.key = folder_ / "absent.key";
  EXPECT_THAT(why(bad), AllOf(HasSubstr("absent-ca.crt: No such file"), HasSubstr("absent.key: No such file")));
}

TEST_F(Preflight, AKeyBelongsToItsCertificate) {
  auto bad = config();
  bad.manager.key = *certificates_ / "dpu1.key";
  EXPECT_THAT(why(bad), HasSubstr("dpu1.key: is not the key of"));
}

TEST_F(Preflight, ACertificateIsThatOfTheId) {
  auto bad = config();
  bad.id = "dpu7";
  EXPECT_THAT(why(bad), HasSubstr("dpu0.crt: is the certificate of 'dpu0', expected one of 'dpu7'"));
}

TEST_F(Preflight, ACertificateIsOfTheAuthorityAndInTime) {
  auto bad = config();
  bad.manager.ca = *certificates_ / "old/ca.crt";
  EXPECT_THAT(why(bad), HasSubstr("dpu0.crt: certificate of 'dpu0'"));
  bad = config();
  bad.manager.ca = *certificates_ / "old/ca.crt";
  bad.manager.certificate = *certificates_ / "old/dpu0.crt";
  bad.manager.key = *certificates_ / "old/dpu0.key";
  EXPECT_THAT(why(bad), HasSubstr("expired"));
}

TEST_F(Preflight, ReadsSignaturesAndGivesEveryReasonAtOnce) {
  std::ofstream(folder_ / "web.toml") << "category = \"web\"\n[[protocol]]\nname = \"x\"\ntransprot = [\"tcp\"]\n";
  auto bad = config();
  bad.id = "dpu7";
  bad.signatures = folder_.path();
  bad.cpus = {0, 5};
  EXPECT_THAT(why(bad), AllOf(HasSubstr("'dpu7'"), HasSubstr("web.toml:4"), HasSubstr("CPU 5 is not one that")));
}

}  // namespace
}  // namespace foreflow::config
