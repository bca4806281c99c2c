// SPDX-License-Identifier: Apache-2.0
// What fuzzing starts from: the project's own samples of every protocol, and the messages that only parsers read.
#pragma once
#include <string_view>
#include <vector>

#include "dataplane/net/parse.h"
#include "tests/unit/dataplane/payload_samples.h"
#include "tests/unit/dataplane/quic_samples.h"

namespace foreflow::fuzz {

inline testing::Frame framed(const testing::PayloadSample& sample, bool version6) {
  using namespace foreflow::testing;  // NOLINT: builders of bytes
  const auto segment =
      sample.ip_protocol == net::kTcp ? tcp(1000, 2000, 0x18, sample.payload) : udp(1000, 2000, sample.payload);
  return version6 ? ethernet(0x86dd, ipv6(sample.ip_protocol, segment))
                  : ethernet(0x0800, ipv4({sample.ip_protocol, {}, 0}, segment));
}

inline std::vector<testing::Frame> messages() {
  std::vector<testing::Frame> all;
  for (const auto& sample : testing::payload_samples()) all.push_back(sample.payload);
  auto hello = testing::tls_client_hello("www.example.org");
  all.push_back(hello);
  all.emplace_back(hello.begin() + 5, hello.end());
  hello.erase(hello.begin(), hello.begin() + 5);
  all.push_back(testing::quic_crypto(0, hello));
  all.push_back(testing::quic_sample_initial(0, testing::quic_crypto(0, hello)));
  for (const std::string_view text :
       {"227 Entering Passive Mode (10,0,0,2,117,48)\r\n", "EPRT |2|2001:db8::1|5282|\r\n",
        "c=IN IP4 10.0.0.2\r\nm=audio 49170 RTP/AVP 0\r\n", "Transport: RTP/AVP;unicast;client_port=8000-8001\r\n"})
    all.emplace_back(text.begin(), text.end());
  return all;
}

}  // namespace foreflow::fuzz
