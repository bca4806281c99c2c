// SPDX-License-Identifier: Apache-2.0
// Learns the fleet's global model and the allocation law's knobs in the background, once a day, in one thread with the
// lowest priority. Place: host/app, made by the manager. Ingest, forecasts and cycle do not wait for it.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <thread>

#include "common/clock.h"
#include "host/forecast/global_training.h"
#include "host/forecast/model_registry.h"
#include "host/forecast/service.h"

namespace foreflow::app {

// Thread safety: none of its members but the thread that it starts; the service has its own locks.
class BackgroundTraining {
 public:
  struct Parts {
    forecast::ForecastService& forecasts;
    const predictor::Trainer& trainer;
    const Clock& clock;
  };
  BackgroundTraining(Parts parts, forecast::ModelRegistry registry, const forecast::TrainingPlan& plan)
      : parts_(parts), registry_(std::move(registry)), plan_(plan) {}

  // Puts the model that was kept in force, if there is one that can be read.
  void restore();
  // Learns once, in the caller's thread, and puts a better model in force. The reason why nothing came of it is logged.
  void run_once();
  // Learns in the caller's thread what the allocation law has to be asked for, and puts it in force; as above.
  void learn_law();
  // A thread of nice 19 that learns now and then every `period_ns`.
  void start(std::uint64_t period_ns);

 private:
  void put_in_force(forecast::Registered registered);
  std::chrono::nanoseconds due_in(std::uint64_t period_ns) const;
  void run(const std::stop_token& stop, std::uint64_t period_ns);

  Parts parts_;
  forecast::ModelRegistry registry_;
  forecast::TrainingPlan plan_;
  std::optional<forecast::Registered> present_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;
};

}  // namespace foreflow::app
