// SPDX-License-Identifier: Apache-2.0
#include "common/listening.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/temporary_directory.h"

namespace foreflow {
namespace {

using ::testing::HasSubstr;

TEST(WhyNoListening, NamesWhatStandsInTheWay) {
  const int taken = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  ASSERT_EQ(::bind(taken, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(taken, 1), 0);
  ASSERT_EQ(::getsockname(taken, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const auto text = fmt::format("127.0.0.1:{}", ntohs(address.sin_port));
  EXPECT_EQ(why_no_listening(text), "Address already in use");
  ::close(taken);
  EXPECT_EQ(why_no_listening(text), "");
}

TEST(WhyNoListening, NamesAForeignAddressAndAMissingFolder) {
  EXPECT_EQ(why_no_listening("192.0.2.1:7443"), "Cannot assign requested address");
  EXPECT_EQ(why_no_listening("unix:/nowhere/at/all"), "No such file or directory");
  EXPECT_THAT(why_no_listening("127.0.0.1"), HasSubstr("there is no port"));
}

TEST(WhyNoListening, LeavesNoSocketBehind) {
  const test::TemporaryDirectory folder;
  const auto path = folder / "socket";
  EXPECT_EQ(why_no_listening("unix:" + path.string()), "");
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace foreflow
