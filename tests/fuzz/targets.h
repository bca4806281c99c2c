// SPDX-License-Identifier: Apache-2.0
// What is fuzzed: each target takes any bytes and must return. libFuzzer drives them in the preset `fuzz`; the unit
// test fuzz_targets_test.cc drives them everywhere with a small corpus and random changes to it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "dataplane/classify/classifier.h"
#include "dataplane/classify/networks.h"
#include "dataplane/classify/services.h"
#include "dataplane/classify/signature.h"
#include "dataplane/net/parse.h"
#include "dataplane/net/tunnel.h"
#include "tests/support/signatures.h"

namespace foreflow::fuzz {

using Input = std::span<const std::uint8_t>;

inline void require(bool holds) {
  if (!holds) std::abort();
}

// A frame, and the same frame as if it had been cut from a longer one.
inline net::Parsed frame(Input input) {
  net::Parsed parsed;
  for (const auto size : {input.size() + 1'000, input.size()})
    if (net::parse(input, static_cast<std::uint32_t>(size), parsed) == net::ParseStatus::kOk)
      require(std::size_t{parsed.payload_offset} + parsed.payload_size <= input.size());
  return parsed;
}

// What a frame may carry for the end of a tunnel, and the frame inside.
inline void tunnel(Input input) {
  const auto outer = frame(input);
  for (const auto kind : {wire::TunnelKind::kVxlan, wire::TunnelKind::kGeneve}) {
    net::TunnelEnd end{.kind = kind, .udp_port = outer.destination_port};
    std::copy_n(outer.destination_ip.bytes.begin() + 12, 4, end.local.octets.begin());
    net::Inner inner;
    if (net::find_inner(end, outer, input, inner) != net::TunnelStatus::kInner) continue;
    require(inner.offset <= input.size());
    frame(input.subspan(inner.offset, std::min(inner.size, input.size() - inner.offset)));
  }
}

// The product's signatures, compiled at the first use.
struct Engine {
  std::unique_ptr<const classify::Classifier> classifier;
  classify::Inspector inspector;
};
inline Engine& engine() {
  static Engine engine = [] {
    auto classifier = classify::Classifier::load(test::kSignatures, test::kSignatureCache);
    require(classifier.has_value());
    auto inspector = classify::Inspector::create(**classifier);
    require(inspector.has_value());
    return Engine{std::move(*classifier), std::move(*inspector)};
  }();
  return engine;
}

inline void payload(Input input) {
  if (input.empty()) return;
  auto& [classifier, inspector] = engine();
  for (const auto ip_protocol : {net::kTcp, net::kUdp}) {
    const auto verdict = inspector.inspect(*classifier, {input, ip_protocol, 443, 53});
    require(verdict.protocol < classifier->protocol_count());
    require(verdict.confidence <= 100 && (verdict.protocol == 0) == (verdict.confidence == 0));
  }
}

// A frame off the wire, through both stages.
inline void frame_and_payload(Input input) {
  const auto parsed = frame(input);
  tunnel(input);
  if (parsed.payload_size != 0) payload(input.subspan(parsed.payload_offset, parsed.payload_size));
}

inline void signature_file(Input input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  const auto signatures = classify::parse_signatures(text, "fuzz.toml");
  require(signatures.has_value() || !signatures.error().message.empty());
  classify::ServiceTable services;
  classify::NetworkTable networks;
  for (const auto& status : {services.add(text, "fuzz.toml"), networks.add(text, "fuzz.toml")})
    require(status.has_value() || !status.error().message.empty());
}

}  // namespace foreflow::fuzz
