// SPDX-License-Identifier: Apache-2.0
// Weights of the behaviour model: made by scripts/train-behaviour, not by hand.
// From 558 labelled flows of 249 captures that the test suites of nDPI, Zeek, Suricata and tcpdump publish.
// Statistics of sizes and times alone: nothing of a capture is in them. Ours, under the licence of this repository.
// Place: dataplane/classify, private to behaviour.cc.
#pragma once
#include <array>

// clang-format off
namespace foreflow::classify {

// One row per class in the order of kClasses, one column per feature in the order of PacketShape::features().
inline constexpr std::array<std::array<float, 12>, 5> kBehaviourWeights{{
    {-0.9589f, -2.7070f, -1.0715f, 2.5761f, 1.1458f, 1.8714f, -1.0671f, 2.6125f, -1.9166f, 0.8059f, 0.3256f, -0.5815f},  // interactive
    {2.6104f, -0.7181f, 1.4325f, -1.1381f, -1.4927f, -0.0025f, 0.8713f, -0.0671f, 0.3700f, -0.5848f, -0.0755f, -3.5746f},  // bulk
    {-1.9208f, -0.7742f, 0.9876f, -1.7157f, 2.3093f, -1.3159f, -0.6552f, -2.6045f, -0.3729f, 2.3797f, -0.0850f, 4.6102f},  // streaming
    {0.0213f, 4.3878f, -1.0286f, -1.1078f, -1.9660f, 0.2585f, -0.2867f, 0.1750f, 0.1823f, -2.7439f, 0.3320f, 0.4109f},  // real_time
    {0.2480f, -0.1886f, -0.3201f, 1.3855f, 0.0037f, -0.8115f, 1.1377f, -0.1160f, 1.7371f, 0.1430f, -0.4971f, -0.8649f},  // request_response
}};

}  // namespace foreflow::classify
