// SPDX-License-Identifier: Apache-2.0
#include "dataplane/classify/refine.h"

#include <algorithm>
#include <iterator>

namespace foreflow::classify {
namespace {

using Known = ProtocolId KnownProtocols::*;

struct Group {
  net::IpAddress address;
  Known protocol;
};
constexpr net::IpAddress v4(std::uint8_t last) { return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 224, 0, 0, last}}; }
constexpr net::IpAddress v6(std::uint8_t high, std::uint8_t low) {
  return {{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, high, 0, low}};
}
constexpr Group kGroups[] = {
    {v4(251), &KnownProtocols::mdns},
    {v6(0, 0xfb), &KnownProtocols::mdns},
    {v4(252), &KnownProtocols::llmnr},
    {v6(1, 3), &KnownProtocols::llmnr},
};

// IANA's registry of ports. Without a protocol of its own, TLS stays TLS and serves the category.
struct TlsPort {
  std::uint16_t port;
  Known protocol;
  Category category;
};
constexpr TlsPort kTlsPorts[] = {
    {465, &KnownProtocols::smtps, Category::kMail},         // submissions, RFC 8314
    {853, &KnownProtocols::tls, Category::kDns},            // DNS over TLS, RFC 7858
    {989, &KnownProtocols::ftps, Category::kFileTransfer},  // its data
    {990, &KnownProtocols::ftps, Category::kFileTransfer}, {993, &KnownProtocols::imaps, Category::kMail},
    {995, &KnownProtocols::pops, Category::kMail},
};

}  // namespace

void refine_by_group(Verdict& verdict, const KnownProtocols& known, const FlowEnds& ends) noexcept {
  if (verdict.protocol != known.dns && verdict.protocol != known.mdns && verdict.protocol != known.llmnr) return;
  const auto* group = std::find_if(std::begin(kGroups), std::end(kGroups), [&ends](const Group& one) {
    return one.address == ends.address[0] || one.address == ends.address[1];
  });
  if (group != std::end(kGroups)) verdict.protocol = known.*group->protocol;
}

void refine_by_port(Verdict& verdict, const KnownProtocols& known, const FlowEnds& ends, Side server) noexcept {
  if (verdict.protocol != known.tls || server == kUnknownSide) return;
  const auto* found = std::find_if(std::begin(kTlsPorts), std::end(kTlsPorts),
                                   [&](const TlsPort& one) { return one.port == ends.port[server]; });
  if (found == std::end(kTlsPorts)) return;
  verdict.protocol = known.*found->protocol;
  verdict.category = found->category;
}

}  // namespace foreflow::classify
