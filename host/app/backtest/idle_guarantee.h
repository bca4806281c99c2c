// SPDX-License-Identifier: Apache-2.0
// How much of a guarantee is kept free while its owner does not need it, on links whose device cannot lend.
// Place: host/app/backtest, for `contention`.
//
// What is kept free and not used is lost to the others, byte by byte; a guarantee that is missed is one miss, however
// small its VM. So a miss has one price for all, and each VM's margin on what is usual for it is the one that would
// have cost least on its own past: a small VM's guarantee is kept whole, a large one's as far as it is likely.
#pragma once
#include <array>
#include <cstddef>
#include <limits>
#include <span>

#include "common/result.h"
#include "host/app/backtest/contention.h"
#include "predictor/series/series.h"

namespace foreflow::backtest {

// On what is usual; the last one keeps the whole guarantee.
inline constexpr std::array kMargins{
    0., .1, .25, .5, .7, .85, 1., 1.1, 1.2, 1.35, 1.5, 1.75, 2., 2.5, 3., 4., 6., 10., kWholeGuarantee};

// What each margin would have cost one VM.
struct Keeping {
  std::array<double, kMargins.size()> unused{};  // bytes per second kept free and not used, mean over the steps
  std::array<double, kMargins.size()> missed{};  // share of the steps in which demand within the guarantee was more
  double cheapest(double price) const;           // the largest margin of least unused + price * missed
};

// Over the rows of `past` after its first week.
Keeping keep(const predictor::SeriesView& past, double guarantee);

// Sets the margins of the link's members, each from its own rows before `rows`.
void set_margins(SharedLink& link, const Scenario& scenario, std::size_t rows, double price);

// The lowest price with which at most `missed` of the guarantees would have been missed in the rows before
// `scenario.first`, the first week apart, were the fleet's VMs on links of `per_link` in their order. In multiples of
// the fleet's mean p99, so that it serves fleets of other sizes; the highest that is tried where none does.
// Errors: those of play().
Result<double> learn_price(std::span<const Recording> fleet, std::size_t per_link, const Scenario& scenario,
                           double missed, std::size_t threads);

// Of the VMs of all links.
double mean_p99(std::span<const SharedLink> links);

}  // namespace foreflow::backtest
