// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/figures.h"

#include <algorithm>
#include <fstream>
#include <string_view>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <time.h>

namespace foreflow::bench {
namespace {

double thread_time_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double time_of(const std::function<void()>& round, std::size_t operations) {
  const auto start = thread_time_ns();
  round();
  return (thread_time_ns() - start) / static_cast<double>(operations);
}

nlohmann::json to_json(const Figure& figure) {
  return {{"figure", figure.figure}, {"value", figure.value},           {"unit", figure.unit},
          {"peer", figure.peer},     {"peer_value", figure.peer_value}, {"ratio", figure.ratio()},
          {"bar", figure.bar},       {"holds", figure.holds()}};
}

}  // namespace

Timing summarise(std::vector<double> rounds) {
  std::sort(rounds.begin(), rounds.end());
  const auto at = [&](double part) {
    return rounds[static_cast<std::size_t>(part * static_cast<double>(rounds.size() - 1))];
  };
  return {at(.5), (at(.9) - at(.1)) / at(.5)};
}

double cpu_ms(const std::function<void()>& work) { return time_of(work, 1'000'000); }

Duel duel(std::size_t rounds, std::size_t operations, const std::function<void()>& subject,
          const std::function<void()>& peer) {
  subject();
  peer();
  std::vector<double> ours, theirs;
  for (std::size_t i = 0; i < rounds; ++i) {
    ours.push_back(time_of(subject, operations));
    theirs.push_back(time_of(peer, operations));
  }
  return {summarise(std::move(ours)), summarise(std::move(theirs))};
}

int report(int argc, char** argv, const std::vector<Figure>& figures) {
  bool all = true;
  fmt::print("{:<44} {:>10} {:<10} {:<28} {:>10} {:>6} {:>6}  {}\n", "figure", "value", "unit", "peer", "peer value",
             "ratio", "bar", "holds");
  auto list = nlohmann::json::array();
  for (const auto& figure : figures) {
    fmt::print("{:<44} {:>10.2f} {:<10} {:<28} {:>10.2f} {:>6.2f} {:>6.2f}  {} (spread {:.0f} %)\n", figure.figure,
               figure.value, figure.unit, figure.peer, figure.peer_value, figure.ratio(), figure.bar,
               figure.holds() ? "yes" : "no", figure.spread * 100);
    list.push_back(to_json(figure));
    all = all && figure.holds();
  }
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) != "--json") continue;
    std::ofstream file(argv[i + 1]);
    file << list.dump(2) << '\n';
    if (!file.flush()) {
      fmt::print(stderr, "bench: cannot write '{}'\n", argv[i + 1]);
      return 2;
    }
  }
  return all ? 0 : 1;
}

}  // namespace foreflow::bench
