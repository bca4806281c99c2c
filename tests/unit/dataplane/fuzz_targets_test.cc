// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>
#include <random>

#include <gtest/gtest.h>

#include "support/source_paths.h"
#include "tests/fuzz/flow_table_target.h"
#include "tests/fuzz/parsers.h"
#include "tests/fuzz/seeds.h"
#include "tests/fuzz/targets.h"
#include "tests/support/capture_bytes.h"

namespace foreflow::fuzz {
namespace {

using testing::Frame;

// On a heap block of its own size, so that a sanitizer sees a read past its end.
template <typename Target>
void run(Target target, const Frame& input) {
  const std::unique_ptr<std::uint8_t[]> exact(new std::uint8_t[input.size()]);
  std::copy(input.begin(), input.end(), exact.get());
  target(Input{exact.get(), input.size()});
}

class Mutator {
 public:
  explicit Mutator(std::uint32_t seed) : random_(seed) {}
  std::uint32_t below(std::size_t end) { return static_cast<std::uint32_t>(random_() % end); }

  Frame change(Frame input) {
    for (auto changes = below(8); changes > 0 && !input.empty(); --changes) {
      const auto at = below(input.size());
      switch (below(4)) {
        case 0:
          input.resize(at);
          break;
        case 1:
          input.insert(input.begin() + at, below(40), static_cast<std::uint8_t>(random_()));
          break;
        case 2:
          input[at] = below(2) == 0 ? 0xff : 0x00;
          break;
        default:
          input[at] = static_cast<std::uint8_t>(random_());
      }
    }
    return input;
  }

 private:
  std::mt19937 random_;
};

TEST(FuzzTargets, ChangedFramesOfEveryProtocolPassParserAndInspector) {
  const auto& samples = testing::payload_samples();
  Mutator mutator(1);
  for (int i = 0; i < 50'000; ++i)
    run(frame_and_payload, mutator.change(framed(samples[mutator.below(samples.size())], i % 2 == 0)));
}

TEST(FuzzTargets, ChangedTunnelsAreReadWithinTheirBounds) {
  const auto& samples = testing::payload_samples();
  Mutator mutator(7);
  for (int i = 0; i < 50'000; ++i) {
    const auto kind = i % 2 == 0 ? wire::TunnelKind::kVxlan : wire::TunnelKind::kGeneve;
    const auto inner = framed(samples[mutator.below(samples.size())], i % 3 == 0);
    Frame frame(net::kOuterSize);
    net::write_outer(std::span(frame).first<net::kOuterSize>(), {.kind = kind, .udp_port = 4789}, {}, 5, inner.size(),
                     7);
    frame.insert(frame.end(), inner.begin(), inner.end());
    run(tunnel, mutator.change(std::move(frame)));
  }
}

TEST(FuzzTargets, ChangedPayloadsOfEveryProtocolPassTheInspector) {
  const auto& samples = testing::payload_samples();
  Mutator mutator(2);
  for (int i = 0; i < 50'000; ++i) run(payload, mutator.change(samples[mutator.below(samples.size())].payload));
}

TEST(FuzzTargets, ChangedMessagesPassEveryParserAlone) {
  const auto originals = messages();
  Mutator mutator(6);
  for (int i = 0; i < 10'000; ++i) {
    const auto input = mutator.change(originals[mutator.below(originals.size())]);
    for (const auto target : {validators, tls, quic, dns, announcement, dissect}) run(target, input);
  }
}

TEST(FuzzTargets, ChangedCapturesOfBothFormatsAreReadOrRefused) {
  std::vector<Frame> frames;
  const auto& samples = testing::payload_samples();
  for (std::size_t i = 0; i < 6; ++i) frames.push_back(framed(samples[i * 7], i % 2 == 0));
  Mutator mutator(8);
  for (const auto& original : {test::pcap_of(frames), test::pcapng_of(frames)}) {
    run(capture, original);
    for (int i = 0; i < 3'000; ++i) run(capture, mutator.change(original));
  }
}

TEST(FuzzTargets, ConversationsInPiecesEndWithAVerdictAndLeaveNothing) {
  const auto originals = messages();
  Mutator mutator(7);
  for (int i = 0; i < 5'000; ++i) {
    Frame input = {static_cast<std::uint8_t>(mutator.below(256))};
    for (auto pieces = 1 + mutator.below(12); pieces > 0; --pieces) {
      const auto message = mutator.change(originals[mutator.below(originals.size())]);
      input.push_back(static_cast<std::uint8_t>(mutator.below(256)));
      input.push_back(static_cast<std::uint8_t>(message.size() / 8));
      input.insert(input.end(), message.begin(), message.end());
    }
    run(conversation, input);
  }
}

TEST(FuzzTargets, RandomFramesPassParserAndInspector) {
  Mutator mutator(3);
  for (int i = 0; i < 100'000; ++i) {
    Frame input(mutator.below(128));
    for (auto& byte : input) byte = static_cast<std::uint8_t>(mutator.below(256));
    if (input.size() > 14 && i % 2 == 0) input[12] = 0x08, input[13] = 0x00, input[14] = 0x45;
    run(frame_and_payload, input);
  }
}

TEST(FuzzTargets, RandomOperationsOnAFlowTableAgreeWithMaps) {
  Mutator mutator(5);
  for (int i = 0; i < 200; ++i) {
    Frame operations(3 * (1 + mutator.below(1'000)));
    for (auto& byte : operations) byte = static_cast<std::uint8_t>(mutator.below(256));
    run(flow_table, operations);
  }
}

TEST(FuzzTargets, ChangedSignatureFilesAreReadOrRefused) {
  Mutator mutator(4);
  for (const std::string name : {"chat", "networks"}) {
    std::ifstream file(FOREFLOW_SOURCE_DIR "/configs/signatures/" + name + ".toml");
    const Frame original{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(original.empty());
    for (int i = 0; i < 1'000; ++i) run(signature_file, mutator.change(original));
  }
}

}  // namespace
}  // namespace foreflow::fuzz
