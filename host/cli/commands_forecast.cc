// SPDX-License-Identifier: Apache-2.0
// forecast show.
#include <algorithm>

#include <fmt/format.h>

#include "host/cli/command.h"
#include "host/cli/json.h"
#include "host/cli/table.h"

namespace foreflow::cli {
namespace {

constexpr std::size_t kShownLeads = 12;

std::vector<double> recent(const pb::Forecast& forecast) {
  std::vector<double> rates;
  for (const auto& observed : forecast.history()) rates.push_back(static_cast<double>(observed.rate()));
  return rates;
}

std::vector<double> band(const pb::Forecast& forecast, int quantile) {
  std::vector<double> rates;
  for (const auto& lead : forecast.leads()) rates.push_back(static_cast<double>(lead.rates(quantile)));
  return rates;
}

// Recent demand and then the quantiles, side by side on one scale.
std::string plot(const pb::Forecast& forecast) {
  const auto past = recent(forecast);
  double most = 0;
  for (const auto rate : past) most = std::max(most, rate);
  for (int q = 0; q < forecast.quantiles_size(); ++q)
    for (const auto rate : band(forecast, q)) most = std::max(most, rate);
  const std::string seen = sparkline(past, most);
  const std::string blank(past.size(), ' ');
  std::string text = fmt::format("  {:<8}{}|\n", "seen", seen);
  for (int q = forecast.quantiles_size() - 1; q >= 0; --q)
    text += fmt::format("  {:<8}{}|{}\n", fmt::format("q{}", forecast.quantiles(q)), blank,
                        sparkline(band(forecast, q), most));
  return text + fmt::format("  full block = {}\n", rate_text(static_cast<std::uint64_t>(most)));
}

Table numbers(const pb::Forecast& forecast) {
  std::vector<std::string> columns{"UNTIL", ">LEAD"};
  for (const auto quantile : forecast.quantiles()) columns.push_back(fmt::format(">q{}", quantile));
  Table table(std::move(columns));
  const auto shown = std::min<std::size_t>(kShownLeads, static_cast<std::size_t>(forecast.leads_size()));
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& lead = forecast.leads(static_cast<int>(i));
    std::vector<std::string> row{clock_text(lead.time()), std::to_string(i + 1)};
    for (const auto rate : lead.rates()) row.push_back(rate_text(rate));
    table.add(std::move(row));
  }
  return table;
}

}  // namespace

Outcome forecast_show(Context& context) {
  const auto way = context.options["direction"].as<std::string>();
  if (way != "egress" && way != "ingress") return usage("--direction is egress or ingress, not '" + way + "'");
  const auto manager = context.manager();
  if (!manager) return tl::unexpected(manager.error());
  const auto forecast = (*manager)->forecast(context.argument(), way == "ingress" ? pb::INGRESS : pb::EGRESS);
  if (!forecast) return failure(forecast.error());
  if (context.json) return text_of(to_json(*forecast));
  return fmt::format("{} {}: {} at {}, steps of {} s\nlast interval {}{}\n{}\n{}\n{}", forecast->vm(), way,
                     printable(forecast->model()), clock_text(forecast->made_at()),
                     static_cast<double>(forecast->step_ns()) / 1e9, rate_text(forecast->last()),
                     forecast->limited() ? " (limited: it may want more)" : "",
                     forecast->reason().empty() ? "" : printable(forecast->reason()) + "\n", plot(*forecast),
                     numbers(*forecast).text());
}

}  // namespace foreflow::cli
