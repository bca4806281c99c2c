// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/classify/names.h"
#include "dataplane/classify/services.h"
#include "support/source_paths.h"

namespace foreflow::classify {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

ServiceTable table_of(std::string_view text) {
  ServiceTable services;
  const auto status = services.add(text, "services.toml");
  EXPECT_TRUE(status) << status.error().message;
  return services;
}

std::string error_of(std::string_view text) {
  ServiceTable services;
  const auto status = services.add(text, "services.toml");
  return status ? "accepted" : status.error().message;
}

std::string_view app(const ServiceTable& services, std::string_view host) {
  return app_names().name_of(services.find(host).app);
}

TEST(ServiceTable, FindsTheLongestSuffixOfWholeLabels) {
  const auto services = table_of("[web]\ngoogle = ['google.com']\n[mail]\ngmail = ['mail.google.com']");
  EXPECT_EQ(services.find("WWW.Google.Com.").category, Category::kWeb);
  EXPECT_EQ(services.find("x.mail.google.com").category, Category::kMail);
  for (const auto* host : {"", ".", "com", "agoogle.com", "google.com.evil.example", "..", "google..com"})
    EXPECT_EQ(services.find(host).app, 0) << host;
  EXPECT_EQ(services.find(std::string(5'000, 'a')).app, 0);
  EXPECT_EQ(services.find(std::string(120, '.') + "google.com").category, Category::kWeb) << "labels beyond the suffix";
}

TEST(ServiceTable, AStarIsOneLabelAndLosesToAPlainOne) {
  const auto services = table_of(
      "[web]\naws = ['amazonaws.com']\nnear = ['s3.home.amazonaws.com']\n"
      "[file_transfer]\ns3 = ['s3.*.amazonaws.com']");
  EXPECT_EQ(app(services, "bucket.s3.eu-west-1.amazonaws.com"), "s3");
  EXPECT_EQ(app(services, "bucket.s3.home.amazonaws.com"), "near");
  EXPECT_EQ(app(services, "s3.amazonaws.com"), "aws");
  EXPECT_EQ(app(services, "s3.a.b.amazonaws.com"), "aws");
}

TEST(ServiceTable, SeveralFilesAddUp) {
  auto services = table_of("[web]\none = ['one.example']");
  ASSERT_TRUE(services.add("[video]\ntwo = ['two.example']", "services-own.toml"));
  EXPECT_EQ(services.find("one.example").category, Category::kWeb);
  EXPECT_EQ(services.find("two.example").category, Category::kVideo);
  EXPECT_EQ(services.domain_count(), 2u);
  const auto status = services.add("[web]\nthree = ['two.example']", "services-own.toml");
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().message, AllOf(HasSubstr("services-own.toml:2"), HasSubstr("already belongs")));
}

TEST(ServiceTable, RefusesStrangeNamesWithFileAndLine) {
  EXPECT_EQ(error_of("[web]\na = ['a.example']"), "accepted");
  EXPECT_THAT(error_of("[web]\na = ['a.example', 'a.example']"),
              AllOf(HasSubstr("services.toml:2"), HasSubstr("already")));
  EXPECT_THAT(error_of("[wb]\na = ['a.example']"), AllOf(HasSubstr(":1"), HasSubstr("'wb' is no category")));
  for (const auto* domain : {"*.example", "a..b", ".a", "a.", "A.example", "a b", ""})
    EXPECT_THAT(error_of("[web]\na = ['" + std::string(domain) + "']"), HasSubstr("is no domain")) << domain;
}

TEST(ServiceTable, TheProductKnowsServicesOfManyKinds) {
  ServiceTable services;
  const auto status = services.add(std::filesystem::path(FOREFLOW_SOURCE_DIR) / "configs/signatures/services.toml");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_GT(services.domain_count(), 600u);
  const std::pair<std::string_view, Category> kHosts[] = {
      {"ipv4-c001.1.oca.nflxvideo.net", Category::kVideo},
      {"orders.abcdefg.eu-west-1.rds.amazonaws.com", Category::kDatabase},
      {"bucket.s3.eu-west-1.amazonaws.com", Category::kFileTransfer},
      {"sqs.eu-west-1.amazonaws.com", Category::kMessagingQueue},
      {"registry-1.docker.io", Category::kWeb},
      {"deb.debian.org", Category::kWeb},
      {"us04web.zoom.us", Category::kVoipConferencing},
      {"smtp.sendgrid.net", Category::kMail},
      {"dns.google", Category::kDns},
      {"router12.teamviewer.com", Category::kRemoteAccess},
      {"edge-chat.slack.com", Category::kChat},
      {"nordvpn.com", Category::kVpnTunnel},
      {"app.datadoghq.com", Category::kNetworkMgmt},
      {"store.steampowered.com", Category::kGaming},
      {"tracker.opentrackr.org", Category::kP2p},
      {"mqtt.tuyaeu.com", Category::kIotIndustrial},
      {"eu.ethermine.org", Category::kCryptoMining},
  };
  for (const auto& [host, category] : kHosts)
    EXPECT_EQ(to_string(services.find(host).category), to_string(category)) << host;
}

}  // namespace
}  // namespace foreflow::classify
