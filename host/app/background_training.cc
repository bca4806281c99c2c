// SPDX-License-Identifier: Apache-2.0
#include "host/app/background_training.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/log.h"
#include "host/forecast/law_training.h"

namespace foreflow::app {
namespace {

constexpr int kLowestPriority = 19;

std::string text_of(const forecast::Law& law) {
  std::string text;
  for (std::size_t q = 0; q < law.knobs.size(); ++q)
    if (law.knobs[q])
      text += fmt::format("{}q{} {}", text.empty() ? "" : ", ", 100 * predictor::kQuantiles[q], *law.knobs[q]);
  return text.empty() ? "none" : text;
}

}  // namespace

void BackgroundTraining::restore() {
  auto kept = registry_.load(parts_.trainer);
  if (kept) return put_in_force(std::move(*kept));
  if (kept.error().code != ErrorCode::kNotFound)
    log::warning("the global model is not used and will be learned anew", {{"reason", kept.error().message}});
}

void BackgroundTraining::put_in_force(forecast::Registered registered) {
  const auto& card = registered.card;
  parts_.forecasts.use_global(registered.model,
                              fmt::format("{} {}, learned from {} series until {}", card.model, card.hash.substr(0, 8),
                                          card.series, format_time(card.to).substr(0, 10)));
  present_ = std::move(registered);
}

void BackgroundTraining::run_once() {
  const auto fleet = parts_.forecasts.histories();
  auto trained = forecast::train(fleet.series, parts_.trainer, present_ ? present_->model.get() : nullptr, plan_);
  if (!trained) {
    log::info("no global model is learned", {{"reason", trained.error().message}});
    return;
  }
  log::info("global model learned", {{"series", trained->series},
                                     {"loss", trained->loss},
                                     {"before", trained->before},
                                     {"promoted", trained->better}});
  if (!trained->better) return;
  auto kept = registry_.keep({.trained_at = parts_.clock.now(),
                              .from = fleet.from,
                              .to = fleet.to,
                              .series = trained->series,
                              .loss = trained->loss,
                              .before = trained->before},
                             trained->model);
  if (!kept) {
    log::error("global model not kept, the former stays in force", {{"reason", kept.error().message}});
    return;
  }
  put_in_force(std::move(*kept));
}

void BackgroundTraining::learn_law() {
  const auto fleet = parts_.forecasts.histories();
  auto law = forecast::learn_law(fleet.series, present_ ? present_->model : nullptr, plan_);
  if (!law) return log::info("limits follow the quantiles of forecasts", {{"reason", law.error().message}});
  log::info("limits follow the allocation law", {{"knobs", text_of(*law)}, {"law", law->about}});
  parts_.forecasts.use_law(std::move(*law));
}

void BackgroundTraining::start(std::uint64_t period_ns) {
  thread_ = std::jthread([this, period_ns](const std::stop_token& stop) { run(stop, period_ns); });
}

// A model that was kept is as good after a restart as before it.
std::chrono::nanoseconds BackgroundTraining::due_in(std::uint64_t period_ns) const {
  if (!present_) return {};
  const auto age = std::max<std::int64_t>(parts_.clock.now().value - present_->card.trained_at.value, 0);
  return std::chrono::nanoseconds(std::max<std::int64_t>(static_cast<std::int64_t>(period_ns) - age, 0));
}

void BackgroundTraining::run(const std::stop_token& stop, std::uint64_t period_ns) {
  // On Linux a priority is a thread's own.
  if (setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowestPriority) != 0)
    log::warning("learning runs with the manager's own priority", {});
  auto delay = due_in(period_ns);
  if (delay.count() > 0) learn_law();  // a restart has lost it
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, stop, delay, [] { return false; });
    }
    if (stop.stop_requested()) return;
    run_once();
    learn_law();
    delay = std::chrono::nanoseconds(period_ns);
  }
}

}  // namespace foreflow::app
