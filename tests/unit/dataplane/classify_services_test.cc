// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dataplane/classify/names.h"
#include "dataplane/classify/networks.h"
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

net::IpAddress address(std::initializer_list<std::uint8_t> v4) {
  net::IpAddress made{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};
  std::copy(v4.begin(), v4.end(), made.bytes.begin() + 12);
  return made;
}

TEST(NetworkTable, FindsTheNetworkOfAnAddress) {
  NetworkTable networks;
  const auto status =
      networks.add("[chat]\na = ['192.0.2.0/24', '198.51.100.7/32']\n[video]\nb = ['192.0.3.0/25', '2001:db8::/32']",
                   "networks.toml");
  ASSERT_TRUE(status) << status.error().message;
  const auto app_at = [&](const net::IpAddress& where) { return app_names().name_of(networks.find(where).app); };
  EXPECT_EQ(app_at(address({192, 0, 2, 0})), "a");
  EXPECT_EQ(app_at(address({192, 0, 2, 255})), "a");
  EXPECT_EQ(app_at(address({192, 0, 3, 127})), "b");
  EXPECT_EQ(app_at(address({192, 0, 3, 128})), "");
  EXPECT_EQ(app_at(address({192, 0, 1, 255})), "");
  EXPECT_EQ(app_at(address({198, 51, 100, 7})), "a");
  EXPECT_EQ(app_at(net::IpAddress{{0x20, 1, 0x0d, 0xb8, 0xff}}), "b");
  EXPECT_EQ(app_at(net::IpAddress{}), "");
  EXPECT_EQ(networks.find(address({192, 0, 3, 1})).category, Category::kVideo);
}

TEST(NetworkTable, RefusesWhatIsNoNetworkOrTakenWithFileAndLine) {
  const auto error_in = [](std::string_view text) {
    NetworkTable networks;
    const auto status = networks.add(text, "networks.toml");
    return status ? std::string("accepted") : status.error().message;
  };
  EXPECT_EQ(error_in("[chat]\na = ['192.0.2.0/24']"), "accepted");
  for (const auto* network : {"192.0.2.0", "192.0.2.1/24", "192.0.2.0/33", "192.0.2.0/0", "192.0.2/24",
                              "2001:db8::/129", "2001:db8::1/64", "/24", "192.0.2.0/2x"})
    EXPECT_THAT(error_in("[chat]\na = ['" + std::string(network) + "']"),
                AllOf(HasSubstr("networks.toml:2"), HasSubstr("is no network")))
        << network;
  EXPECT_THAT(error_in("[chat]\na = ['192.0.2.0/24']\nb = ['192.0.2.128/25']"),
              AllOf(HasSubstr(":3"), HasSubstr("already belongs")));
  EXPECT_THAT(error_in("[chat]\na = ['192.0.2.128/25', '192.0.2.0/24']"), HasSubstr("already belongs"));
  EXPECT_THAT(error_in("[cht]\na = ['192.0.2.0/24']"), HasSubstr("'cht' is no category"));
}

TEST(NetworkTable, TheProductsNetworksBelongToItsServices) {
  NetworkTable networks;
  const std::filesystem::path folder = std::filesystem::path(FOREFLOW_SOURCE_DIR) / "configs/signatures";
  const auto status = networks.add(folder / "networks.toml");
  ASSERT_TRUE(status) << status.error().message;
  EXPECT_EQ(networks.find(address({45, 57, 1, 1})).category, Category::kVideo);
  EXPECT_EQ(app_names().name_of(networks.find(address({149, 154, 167, 1})).app), "telegram");
  // What no operator can have for itself (RFC 6890; multicast): both ends and the middle of each.
  for (const auto& [first, bits] :
       std::initializer_list<std::pair<std::array<std::uint8_t, 4>, int>>{{{0, 0, 0, 0}, 8},
                                                                          {{10, 0, 0, 0}, 8},
                                                                          {{100, 64, 0, 0}, 10},
                                                                          {{127, 0, 0, 0}, 8},
                                                                          {{169, 254, 0, 0}, 16},
                                                                          {{172, 16, 0, 0}, 12},
                                                                          {{192, 0, 0, 0}, 24},
                                                                          {{192, 0, 2, 0}, 24},
                                                                          {{192, 168, 0, 0}, 16},
                                                                          {{198, 18, 0, 0}, 15},
                                                                          {{198, 51, 100, 0}, 24},
                                                                          {{203, 0, 113, 0}, 24},
                                                                          {{224, 0, 0, 0}, 4},
                                                                          {{240, 0, 0, 0}, 4}}) {
    const std::uint32_t base = std::uint32_t{first[0]} << 24 | first[1] << 16 | first[2] << 8 | first[3];
    const std::uint32_t size = 1u << (32 - bits);
    for (std::uint32_t step = 0; step < 1'024; ++step) {
      const auto at = base + static_cast<std::uint32_t>(std::uint64_t{size - 1} * step / 1'023);
      const auto octet = [at](unsigned shift) { return static_cast<std::uint8_t>(at >> shift); };
      ASSERT_EQ(networks.find(address({octet(24), octet(16), octet(8), octet(0)})).app, 0)
          << int{octet(24)} << '.' << int{octet(16)} << '.' << int{octet(8)} << '.' << int{octet(0)};
    }
  }
  for (const net::IpAddress& v6 :
       {net::IpAddress{}, net::IpAddress{{0xfc}}, net::IpAddress{{0xfd, 0x12}}, net::IpAddress{{0xfe, 0x80}},
        net::IpAddress{{0xff, 2}}, net::IpAddress{{0x20, 1, 0x0d, 0xb8}}})
    EXPECT_EQ(networks.find(v6).app, 0);
}

}  // namespace
}  // namespace foreflow::classify
