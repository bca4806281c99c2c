// SPDX-License-Identifier: Apache-2.0
// VMs that share a link which is too small for all of them: who would have got how much at each step.
// Place: host/app/backtest, for `contention`; the allocator is the manager's.
#pragma once
#include <array>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "host/app/backtest/dataset.h"
#include "predictor/series/series.h"

namespace foreflow::backtest {

// The demand that a VM reaches ever more rarely, in bytes per second, from the steps before: the last step, the highest
// of the last hour, what is usual at this time or was seen in three hours (with a margin), the highest of the last day.
inline constexpr std::size_t kLevels = 4;
inline constexpr std::size_t kRare = 2;  // what is usual
std::array<double, kLevels> demand_levels(const predictor::SeriesView& past, double margin);

inline constexpr double kWholeGuarantee = std::numeric_limits<double>::infinity();

struct Member {
  const Recording* recording = nullptr;
  double p99 = 0;                   // of its demand, bytes per second: what it has bought, hence its weight
  double margin = kWholeGuarantee;  // on what is usual: so much of its guarantee is kept free for it
};

struct SharedLink {
  std::string name;
  std::vector<Member> members;
};

// Columns series,link,p99 of a CSV. kNotFound names a series that is not among `recordings`; kMalformed names the line.
Result<std::vector<SharedLink>> read_links(const std::filesystem::path& file, std::span<const Recording> recordings);

struct Scenario {
  double capacity = .7;                                        // of the sum of p99s, all of which may be promised
  double guarantee = .6;                                       // of the capacity, in proportion to p99
  bool lending = false;                                        // the device lends by weight; no VM is capped
  std::size_t first = 0;                                       // steps before it get nothing
  std::size_t last = std::numeric_limits<std::size_t>::max();  // steps from it on are not played
};

// Of each member, bytes per second.
std::vector<double> guarantees(const SharedLink& link, const Scenario& scenario);
// Of a guarantee, while `usual` is what its owner usually needs.
double kept_free(double guarantee, double margin, double usual);

// Called with each step and what the members get in it: CIR in hard mode, PIR where the device lends.
using OnStep = std::function<void(std::size_t step, std::span<const BytesPerSecond> shares)>;
// Errors: those of allocate_ladder(), with link and step.
Status play(const SharedLink& link, const Scenario& scenario, const OnStep& on_step);

// "series,step,share" for each change, by member. Errors: those of play().
Result<std::string> replay_link(const SharedLink& link, const Scenario& scenario);

}  // namespace foreflow::backtest
