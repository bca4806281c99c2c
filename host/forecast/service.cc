// SPDX-License-Identifier: Apache-2.0
#include "host/forecast/service.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

#include <fmt/format.h>

#include "common/files.h"
#include "host/forecast/history_file.h"
#include "host/forecast/tracked_demand.h"
#include "predictor/features/usual_peaks.h"
#include "predictor/optimize/evidence.h"
#include "predictor/select/select_model.h"

namespace foreflow::forecast {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kLargestHistory = std::size_t{4} << 30;

BytesPerSecond to_rate(double rate) {
  constexpr double kTooLarge = 18'446'744'073'709'551'616.0;  // 2^64
  return rate >= kTooLarge ? kUnlimited : BytesPerSecond{static_cast<std::uint64_t>(std::ceil(rate))};
}

ForecastConfig usable(ForecastConfig config) {
  config.interval_ns = std::clamp<std::uint64_t>(config.interval_ns, 1, 365 * 86'400 * kNanosPerSecond);
  config.horizon = std::max<std::size_t>(config.horizon, 1);
  config.season = std::max<std::size_t>(config.season, 1);
  config.history = std::max<std::size_t>(config.history, 2);
  config.reselect_every = std::max<std::size_t>(config.reselect_every, 1);
  return config;
}

std::size_t column_of(double quantile) {
  const auto found = std::ranges::lower_bound(predictor::kQuantiles, quantile) - predictor::kQuantiles.begin();
  return std::min(static_cast<std::size_t>(found), predictor::kQuantiles.size() - 1);
}

}  // namespace

BytesPerSecond Forecast::demand(double quantile, std::size_t leads) const {
  const auto column = static_cast<Eigen::Index>(column_of(quantile));
  const auto rows = static_cast<Eigen::Index>(std::min(leads, quantiles.horizon()));
  const double highest = rows == 0 ? 0 : quantiles.values.col(column).head(rows).maxCoeff();
  return std::max(to_rate(highest), so_far);
}

BytesPerSecond Forecast::want(double quantile) const {
  const auto lawful = by_law[column_of(quantile)];
  return lawful ? std::max(*lawful, so_far) : demand(quantile, kWantLeads);
}

class ForecastService::Impl {
 public:
  explicit Impl(const ForecastConfig& config)
      : config_(usable(config)),
        candidates_(std::make_shared<const Candidates>(Candidates{predictor::local_models(config_.season), {}})) {}

  void use_global(std::shared_ptr<const predictor::Model> model, const std::string& about) {
    Candidates candidates{predictor::local_models(config_.season), about};
    candidates.models.push_back(std::make_unique<Shared>(std::move(model)));
    const std::unique_lock writing(entries_mutex_);
    candidates_ = std::make_shared<const Candidates>(std::move(candidates));
  }

  void use_law(Law law) {
    const std::unique_lock writing(entries_mutex_);
    law_ = std::move(law);
  }

  Histories histories() const {
    Histories all;
    const std::shared_lock reading(entries_mutex_);
    for (const auto& [key, entry] : entries_) {
      const std::lock_guard lock(entry.mutex);
      const DemandHistory& demand = entry.demand;
      if (demand.empty()) continue;
      all.series.push_back(demand.series(demand.newest(), config_.season));
      const bool is_first = all.series.size() == 1;
      all.from = is_first ? start(demand.oldest()) : std::min(all.from, start(demand.oldest()));
      all.to = is_first ? start(demand.newest()) : std::max(all.to, start(demand.newest()));
    }
    return all;
  }

  void observe(VmId vm, Direction direction, UnixNanos time, std::uint64_t interval_ns, std::uint64_t bytes,
               bool limited) {
    const Key key{vm, direction};
    std::shared_lock reading(entries_mutex_);
    auto found = entries_.find(key);
    if (found == entries_.end()) {
      reading.unlock();
      insert(key);
      reading.lock();
      found = entries_.find(key);
      if (found == entries_.end()) return;  // forgotten in between
    }
    const std::lock_guard lock(found->second.mutex);
    found->second.demand.observe(time, interval_ns, bytes, limited);
  }

  std::optional<Forecast> predict(VmId vm, Direction direction, UnixNanos now) {
    const std::shared_lock reading(entries_mutex_);
    const auto found = entries_.find({vm, direction});
    if (found == entries_.end()) return std::nullopt;
    const std::lock_guard lock(found->second.mutex);
    return predict(found->second, now);
  }

  std::vector<Observation> history(VmId vm, Direction direction, UnixNanos from) const {
    std::vector<Observation> seen;
    const std::shared_lock reading(entries_mutex_);
    const auto found = entries_.find({vm, direction});
    if (found == entries_.end()) return seen;
    const std::lock_guard lock(found->second.mutex);
    const DemandHistory& demand = found->second.demand;
    const IntervalIndex first = from.value / static_cast<std::int64_t>(config_.interval_ns);
    for (IntervalIndex index = std::max(demand.oldest(), first); index <= demand.newest(); ++index)
      if (const auto slot = demand.at(index); slot && start(index + 1) > from)
        seen.push_back({start(index), to_rate(slot->rate), slot->limited});
    return seen;
  }

  void forget(VmId vm) {
    const std::unique_lock writing(entries_mutex_);
    for (const Direction direction : kBothDirections) entries_.erase({vm, direction});
  }

  void retain(const std::function<bool(VmId)>& known) {
    const std::unique_lock writing(entries_mutex_);
    std::erase_if(entries_, [&](const auto& item) { return !known(item.first.first); });
  }

  Status save(const std::string& path) const {
    std::vector<SeriesRecord> records;
    {
      const std::shared_lock reading(entries_mutex_);
      for (const auto& [key, entry] : entries_) {
        const std::lock_guard lock(entry.mutex);
        if (!entry.demand.empty()) records.push_back({key.first, key.second, entry.demand.store()});
      }
    }
    return replace_file(path, encode_history(records, config_.interval_ns));
  }

  Status load(const std::string& path) {
    const Result<std::string> bytes = read_file(path, kLargestHistory);
    if (!bytes) return tl::unexpected(bytes.error());
    const auto records = decode_history(*bytes, config_.interval_ns, path);
    if (!records) return tl::unexpected(records.error());
    const std::unique_lock writing(entries_mutex_);
    entries_.clear();
    for (const SeriesRecord& record : *records)
      insert_locked({record.vm, record.direction}).demand.restore(record.history);
    return {};
  }

 private:
  using Key = std::pair<VmId, Direction>;

  UnixNanos start(IntervalIndex index) const { return {index * static_cast<std::int64_t>(config_.interval_ns)}; }

  void insert(const Key& key) {
    const std::unique_lock writing(entries_mutex_);
    insert_locked(key);
  }

  TrackedDemand& insert_locked(const Key& key) {
    return entries_.try_emplace(key, config_, key.first.value * kDirections + index(key.second)).first->second;
  }

  std::optional<Forecast> predict(TrackedDemand& entry, UnixNanos now) const {
    const DemandHistory& demand = entry.demand;
    if (demand.empty()) return std::nullopt;
    // The dataplane's clock may be ahead of ours: what it is filling now is the interval in progress.
    const std::int64_t asked = std::clamp(now.value, std::int64_t{0}, kLatest.value);
    const IntervalIndex end = std::max(asked / static_cast<std::int64_t>(config_.interval_ns), demand.newest());
    update(entry, end);
    Forecast forecast{.made_at = start(end), .step_ns = config_.interval_ns, .quantiles = entry.tracked.forecast()};
    forecast.reason = entry.choice.reason + covered(entry.tracked.coverage());
    if (law_) apply(*law_, entry, end, forecast);
    if (const auto slot = demand.at(end)) forecast.so_far = to_rate(slot->rate);
    forecast.last = last(demand, end);
    if (const auto limited = demand.newest_limited())
      forecast.limited =
          static_cast<std::uint64_t>(demand.newest_sample().value - limited->value) < config_.limited_window_ns;
    return forecast;
  }

  void apply(const Law& law, TrackedDemand& entry, IntervalIndex end, Forecast& forecast) const {
    if (!entry.evidence) {
      const predictor::Series series = entry.demand.series(end, config_.season);
      predictor::UsualPeaks peaks(config_.season);
      for (const double value : series.view().values) peaks.push(value);
      entry.evidence = predictor::gather(forecast.quantiles, Forecast::kWantLeads, peaks);
    }
    for (std::size_t q = 0; q < law.knobs.size(); ++q)
      if (law.knobs[q]) forecast.by_law[q] = to_rate(predictor::allocation(*entry.evidence, *law.knobs[q]));
    forecast.reason += "; " + law.about;
  }

  static BytesPerSecond last(const DemandHistory& demand, IntervalIndex end) {
    for (IntervalIndex index = std::min(end - 1, demand.newest()); index >= demand.oldest(); --index)
      if (const auto slot = demand.at(index)) return to_rate(slot->rate);
    const auto first = demand.at(end);
    return first ? to_rate(first->rate) : BytesPerSecond{};
  }

  // Brings the model to the interval in progress: a step further when one has ended, fitted anew when it is time to
  // choose again or a late sample has changed the past.
  void update(TrackedDemand& entry, IntervalIndex end) const {
    const DemandHistory& demand = entry.demand;
    TrackedDemand::Basis basis{.end = end, .revision = demand.revision()};
    if (const auto newest = demand.newest() < end ? demand.at(demand.newest()) : std::nullopt) {
      basis.newest = demand.newest();
      basis.rate = newest->rate;
    }
    if (entry.basis == basis) return;
    entry.evidence.reset();
    const bool follows = entry.tracked.is_fitted() && entry.follows(basis);
    if (follows) {
      const auto slot = demand.at(end - 1);
      entry.tracked.arrive(slot ? slot->rate : kNaN, slot && slot->limited);
    } else if (entry.basis.end != end) {
      entry.tracked.skip();
    }
    const IntervalIndex period = (end + entry.salt) / static_cast<IntervalIndex>(config_.reselect_every);
    const bool chooses = entry.choice.losses.empty() || entry.chosen_in != period || entry.chosen_from != candidates_;
    if (!follows || chooses) {
      const bool is_first = fit(entry, end, chooses ? std::optional(period) : std::nullopt);
      if (is_first) basis = {};  // an interval that is still being filled changes with every sample
    }
    entry.basis = basis;
  }

  // To the intervals before `end`, or to that one where there are none yet: true. `period`: the model is chosen anew.
  bool fit(TrackedDemand& entry, IntervalIndex end, std::optional<IntervalIndex> period) const {
    predictor::Series series = entry.demand.series(end, config_.season);
    const bool is_first = series.size() == 0;
    if (const auto slot = entry.demand.at(end); is_first && slot) series.push(slot->rate, slot->limited);
    if (period) {
      entry.choice = choose(series.view());
      entry.chosen_in = *period;
      entry.chosen_from = candidates_;
    }
    entry.tracked.fit(*candidates_->models[entry.choice.model], series.view());
    return is_first;
  }

  // How often demand stayed below what the allocation reads, once that says something.
  static std::string covered(const predictor::Coverage& coverage) {
    constexpr std::size_t k95 = 2, k99 = 3, kTelling = 100;
    if (coverage.points < kTelling) return {};
    const auto share = [&](std::size_t q) {
      return 100 * static_cast<double>(coverage.below[q]) / static_cast<double>(coverage.points);
    };
    return fmt::format("; of {} intervals {:.1f} % were below q95, {:.1f} % below q99", coverage.points, share(k95),
                       share(k99));
  }

  predictor::Choice choose(const predictor::SeriesView& series) const {
    const predictor::RollingOrigin plan{.horizon = config_.horizon, .stride = config_.horizon};
    auto choice = predictor::select_forecasting_model({series, plan}, candidates_->models);
    if (candidates_->global.empty()) return choice;
    // Cold start: what the others are like is more than nothing.
    if (choice.losses.empty()) choice.model = candidates_->models.size() - 1;
    choice.reason += fmt::format(" ({})", candidates_->global);
    return choice;
  }

  const ForecastConfig config_;
  mutable std::shared_mutex entries_mutex_;  // the map and the candidates; each entry has its own besides
  std::shared_ptr<const Candidates> candidates_;
  std::optional<Law> law_;  // likewise
  std::map<Key, TrackedDemand> entries_;
};

ForecastService::ForecastService(const ForecastConfig& config) : impl_(std::make_unique<Impl>(config)) {}
ForecastService::~ForecastService() = default;

void ForecastService::observe(VmId vm, Direction direction, UnixNanos time, std::uint64_t interval_ns,
                              std::uint64_t offered_bytes, bool limited) {
  impl_->observe(vm, direction, time, interval_ns, offered_bytes, limited);
}
std::optional<Forecast> ForecastService::predict(VmId vm, Direction direction, UnixNanos now) {
  return impl_->predict(vm, direction, now);
}
std::vector<Observation> ForecastService::history(VmId vm, Direction direction, UnixNanos from) const {
  return impl_->history(vm, direction, from);
}
void ForecastService::use_global(std::shared_ptr<const predictor::Model> model, const std::string& about) {
  impl_->use_global(std::move(model), about);
}
void ForecastService::use_law(Law law) { impl_->use_law(std::move(law)); }
Histories ForecastService::histories() const { return impl_->histories(); }
void ForecastService::forget(VmId vm) { impl_->forget(vm); }
void ForecastService::retain(const std::function<bool(VmId)>& known) { impl_->retain(known); }
Status ForecastService::save(const std::string& path) const { return impl_->save(path); }
Status ForecastService::load(const std::string& path) { return impl_->load(path); }

}  // namespace foreflow::forecast
