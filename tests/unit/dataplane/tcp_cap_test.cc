// SPDX-License-Identifier: Apache-2.0
// One persistent TCP connection through a policer, in virtual time, up to rates that no test machine forwards. The
// source halves (Reno, RFC 5681) or takes three tenths off (CUBIC's beta, RFC 9438) its window once per round trip with
// losses, grows by one segment per round trip (Reno's; CUBIC in its Reno-friendly region does as much), and falls
// silent for a retransmission timeout, doubled each time, when nothing of a window arrives (RFC 6298).
#include <algorithm>
#include <cstdint>
#include <deque>
#include <ostream>

#include <gtest/gtest.h>

#include "dataplane/police/police.h"

namespace foreflow {
namespace {

constexpr std::uint64_t kSecond = kNanosPerSecond;
constexpr std::uint64_t kLeastTimeout = kSecond / 5;

struct Path {
  std::uint64_t cap;  // bytes/s of L2
  std::uint64_t round_trip_ns;
  std::uint32_t frame;  // bytes of L2 of a full segment
  double keep;          // of the window after a loss
};
std::ostream& operator<<(std::ostream& out, const Path& path) {
  return out << path.cap * 8 / 1'000'000 << " Mbit/s, " << path.round_trip_ns / 1'000 << " us, keeps " << path.keep;
}

// The limit as the manager's defaults make it: CBS of 50 ms at the CIR, PBS of .8 s at the PIR.
meter::TwoRateMeter meter_for(std::uint64_t cap) {
  meter::TwoRateMeter meter;
  meter.configure({{cap}, {cap}, {cap / 20}, {cap * 8 / 10}}, 0);
  return meter;
}

class Source {
 public:
  explicit Source(const Path& path) : path_(path), meter_(meter_for(path.cap)) {}

  // Bytes that arrive in [from, to); called with growing times.
  std::uint64_t arrived(std::uint64_t from_ns, std::uint64_t to_ns) {
    while (now_ns_ < from_ns) step();
    const auto before = passed_;
    while (now_ns_ < to_ns) step();
    return passed_ - before;
  }

 private:
  struct Sent {
    std::uint64_t answer_ns;
    bool lost;
  };

  void step() {
    while (!answers_.empty() && answers_.front().answer_ns <= now_ns_) answer();
    if (static_cast<double>(answers_.size()) < window_ && now_ns_ >= silent_until_) return send();
    // Nothing to do before the next answer, or the end of a silence.
    if (answers_.empty()) return void(now_ns_ = std::max(now_ns_ + 1, silent_until_));
    now_ns_ = std::max(now_ns_, answers_.front().answer_ns);
  }

  void send() {
    const bool passes = police::admit({.meter = &meter_}, Bytes{path_.frame}, true, now_ns_);
    if (passes) passed_ += path_.frame;
    answers_.push_back({now_ns_ + path_.round_trip_ns, !passes});
    now_ns_ += path_.frame * kSecond / (4 * path_.cap);  // the sender's own line has four times the cap
  }

  void answer() {
    const auto sent = answers_.front();
    answers_.pop_front();
    if (!sent.lost) {
      timeout_ns_ = kLeastTimeout;
      window_ += window_ < threshold_ ? 1 : 1 / window_;
      return;
    }
    const bool others_arrive =
        std::any_of(answers_.begin(), answers_.end(), [](const Sent& later) { return !later.lost; });
    if (!others_arrive) return time_out(sent.answer_ns);
    if (sent.answer_ns < recovering_until_) return;
    recovering_until_ = sent.answer_ns + path_.round_trip_ns;
    threshold_ = window_ = std::max(2.0, window_ * path_.keep);
  }

  // No later segment tells of the loss: all of the window is gone.
  void time_out(std::uint64_t at_ns) {
    answers_.clear();
    threshold_ = std::max(2.0, window_ * path_.keep);
    window_ = 1;
    silent_until_ = at_ns + timeout_ns_;
    timeout_ns_ *= 2;
  }

  Path path_;
  meter::TwoRateMeter meter_;
  std::deque<Sent> answers_;
  double window_ = 10, threshold_ = 1e9;
  std::uint64_t now_ns_ = 0, passed_ = 0, recovering_until_ = 0, silent_until_ = 0, timeout_ns_ = kLeastTimeout;
};

class TcpThroughACap : public testing::TestWithParam<Path> {};

TEST_P(TcpThroughACap, GetsTheCapFromTheTenthSecondOn) {
  Source source(GetParam());
  const auto bytes = source.arrived(10 * kSecond, 40 * kSecond);
  const auto share = static_cast<double>(bytes) / 30 / static_cast<double>(GetParam().cap);
  RecordProperty("share", std::to_string(share));
  EXPECT_GE(share, 0.95);
  EXPECT_LE(share, 1.01);
}

constexpr std::uint64_t kMbit = 125'000;  // bytes/s
INSTANTIATE_TEST_SUITE_P(Reno, TcpThroughACap,
                         testing::Values(Path{10 * kMbit, 100'000, 1514, .5}, Path{100 * kMbit, 1'000'000, 1514, .5},
                                         Path{1'000 * kMbit, 1'000'000, 1514, .5},
                                         Path{10'000 * kMbit, 1'000'000, 9014, .5}));
INSTANTIATE_TEST_SUITE_P(Cubic, TcpThroughACap,
                         testing::Values(Path{10 * kMbit, 100'000, 1514, .7}, Path{100 * kMbit, 1'000'000, 1514, .7},
                                         Path{1'000 * kMbit, 1'000'000, 1514, .7},
                                         Path{10'000 * kMbit, 1'000'000, 9014, .7}));

}  // namespace
}  // namespace foreflow
