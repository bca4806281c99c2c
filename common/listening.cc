// SPDX-License-Identifier: Apache-2.0
#include "common/listening.h"

#include <cerrno>
#include <cstring>
#include <memory>

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/address.h"

namespace foreflow {
namespace {

// 0 or errno. As servers do it: what a connection that has ended leaves behind is no obstacle.
int try_listening(int family, const sockaddr* address, socklen_t size) {
  const int descriptor = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return errno;
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (family == AF_INET6) ::setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  int error = ::bind(descriptor, address, size) == 0 ? 0 : errno;
  if (error == 0 && ::listen(descriptor, 1) != 0) error = errno;
  ::close(descriptor);
  return error;
}

int try_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  const int error = try_listening(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  if (error == 0) ::unlink(path.c_str());
  return error;
}

}  // namespace

std::string why_no_listening(std::string_view text) {
  const auto where = parse_address(text);
  if (!where) return where.error().message;
  const auto said = [](int error) { return error == 0 ? std::string() : std::string(std::strerror(error)); };
  if (!where->path.empty()) return said(try_path(where->path));
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int rc = ::getaddrinfo(where->host.c_str(), std::to_string(where->port).c_str(), &hints, &found); rc != 0)
    return fmt::format("{}: {}", where->host, ::gai_strerror(rc));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  for (const auto* one = found; one != nullptr; one = one->ai_next)
    if (const int error = try_listening(one->ai_family, one->ai_addr, one->ai_addrlen); error != 0) return said(error);
  return {};
}

}  // namespace foreflow
