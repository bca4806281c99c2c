// SPDX-License-Identifier: Apache-2.0
#include "host/app/decision_points.h"

#include <cmath>

#include "host/store/fields.h"

namespace foreflow::app {
namespace {

constexpr std::uint64_t kNanosPerMilli = 1'000'000;
constexpr double kLargest = 9e18;

std::int64_t rounded(double rate) { return std::llround(std::min(rate, kLargest)); }

}  // namespace

store::Point allocation_point(const Decision& decision, const store::Tags& tags, UnixNanos time) {
  store::Point point{store::Measurement::kVmAlloc, store::Resolution::kRaw, tags, time, {}};
  const auto put = [&](std::string_view quantity, BytesPerSecond rate) {
    if (rate != kUnlimited)
      point.fields.emplace_back(store::field::directed(decision.direction, quantity),
                                store::field::saturated(rate.value));
  };
  put(store::field::kWant, decision.want);
  put(store::field::kGrant, decision.share.grant);
  put(store::field::kCir, decision.share.cir);
  put(store::field::kPir, decision.share.pir);
  put(store::field::kGuarantee, decision.limit.guarantee);
  put(store::field::kCap, decision.limit.cap);
  return point;
}

std::vector<store::Point> forecast_points(const Decision& decision, const store::Tags& tags) {
  std::vector<store::Point> points;
  const auto& forecast = *decision.forecast;
  const auto& values = forecast.quantiles.values;
  for (const auto lead : store::field::kForecastLeads) {
    if (lead > forecast.quantiles.horizon()) break;
    const auto start = forecast.made_at.value + static_cast<std::int64_t>((lead - 1) * forecast.step_ns);
    store::Point point{store::Measurement::kVmForecast, store::Resolution::kRaw, tags, UnixNanos{start}, {}};
    for (std::size_t q = 0; q < store::field::kQuantileNames.size(); ++q)
      point.fields.emplace_back(store::field::forecast(decision.direction, q, lead),
                                rounded(values(static_cast<Eigen::Index>(lead - 1), static_cast<Eigen::Index>(q))));
    point.fields.emplace_back(store::field::kStepMs, store::field::saturated(forecast.step_ns / kNanosPerMilli));
    points.push_back(std::move(point));
  }
  return points;
}

}  // namespace foreflow::app
