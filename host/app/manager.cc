// SPDX-License-Identifier: Apache-2.0
#include "host/app/manager.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/log.h"
#include "host/app/history.h"
#include "host/app/open_store.h"
#include "host/app/state_codec.h"

namespace foreflow::app {
namespace {

constexpr std::int64_t kSaveHistoryEveryNs = 300 * static_cast<std::int64_t>(kNanosPerSecond);

forecast::ForecastConfig forecast_config(const model::ForecastSettings& settings) {
  return {.interval_ns = settings.interval_ns,
          .horizon = settings.horizon_ns / settings.interval_ns,
          .season = settings.season_ns / settings.interval_ns,
          .history = settings.history_ns / settings.interval_ns};
}

std::filesystem::path history_file(const model::ManagerConfig& config) { return config.state_dir / "forecast.history"; }
std::filesystem::path guest_history_file(const model::ManagerConfig& config) {
  return config.state_dir / "guest.history";
}

foreflow::Status make_state_dir(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::create_directories(path, error); error)
    return fail(ErrorCode::kIo, fmt::format("state_dir {}: {}", path.string(), error.message()));
  // Others need neither names nor policies.
  std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  return {};
}

}  // namespace

Manager::Manager(model::ManagerConfig config) : config_(std::move(config)) {}

Result<std::unique_ptr<Manager>> Manager::start(model::ManagerConfig config) {
  std::unique_ptr<Manager> manager(new Manager(std::move(config)));
  if (auto opened = manager->open(); !opened) return tl::unexpected(opened.error());
  if (auto listening = manager->listen(); !listening) return tl::unexpected(listening.error());
  return manager;
}

foreflow::Status Manager::open() {
  if (auto made = make_state_dir(config_.state_dir); !made) return made;
  auto alone = StateLock::take(config_.state_dir);
  if (!alone) return tl::unexpected(alone.error());
  lock_ = std::move(*alone);
  auto state = store::StateStore::open(config_.state_dir / "state.db");
  if (!state) return tl::unexpected(state.error());
  state_ = std::move(*state);
  rosters_ = std::make_unique<Rosters>(*state_, clock_);
  if (auto loaded = rosters_->load(config_.fleet); !loaded)
    return fail(loaded.error().code,
                fmt::format("{}: {}", (config_.state_dir / "state.db").string(), loaded.error().message));

  auto opened = open_store(config_.store, config_.state_dir);
  if (!opened) return tl::unexpected(opened.error());
  store_ = std::move(*opened);
  rollup_ = std::make_unique<store::Rollup>(*store_, store::RollupConfig{});
  const auto forecasting = forecast_config(config_.forecast);
  forecasts_ = std::make_unique<forecast::ForecastService>(forecasting);
  guest_forecasts_ = std::make_unique<forecast::ForecastService>(forecasting);
  load_guest_history();
  training_ = std::make_unique<BackgroundTraining>(BackgroundTraining::Parts{*forecasts_, trainer_, clock_},
                                                   forecast::ModelRegistry(config_.state_dir / "models"),
                                                   forecast::TrainingPlan{.horizon = forecasting.horizon});
  training_->restore();
  restore_history(*forecasts_, *store_, *rosters_->current(), history_file(config_), forecasting, clock_.now());

  auto known = installed();
  if (!known) return tl::unexpected(known.error());
  const auto send = [this](const std::string& dataplane, const wire::DesiredState& desired) -> foreflow::Status {
    std::lock_guard lock(link_mutex_);
    if (!link_) return fail(ErrorCode::kNotFound, "no session yet");
    return link_->send(dataplane, desired);
  };
  const auto save = [this](const fabric::Installed& installed) {
    return state_->put(store::StateKind::kInstalled, installed.target.device, encode_installed(installed));
  };
  actuator_ = std::make_unique<fabric::DpuActuator>(send, save, *known);
  anomalies_ = std::make_unique<AnomalyWatch>(AnomalyWatch::Parts{*forecasts_, live_}, started_);
  cycle_ = std::make_unique<Cycle>(Cycle::Parts{*rosters_, *store_, *forecasts_, live_, *actuator_, clock_},
                                   config_.allocation, config_.mode);
  for (const auto& [device, installed] : *known) cycle_->remember(installed.target);
  ingest_ =
      std::make_unique<Ingest>(Ingest::Parts{*rosters_, *store_, *forecasts_, live_, *actuator_, clock_},
                               Ingest::Hooks{[this] { cycle_->wake(); },
                                             [this](const auto& points) { rollup_->observe(points, clock_.now()); }});
  auto trail = AuditTrail::open(config_.audit.path.empty() ? config_.state_dir / "audit" : config_.audit.path,
                                {.retention_ns = config_.audit.retention_ns, .most_bytes = config_.audit.most.value});
  if (!trail) return tl::unexpected(trail.error());
  audit_ = std::move(*trail);
  cycle_->keep_with([this](const Plan& plan, const Roster& roster) {
    if (const auto kept = audit_->keep(plan, roster, config_.mode); !kept)
      log::error("a cycle is missing in the audit", {{"reason", kept.error().message}});
  });
  // A dataplane that connects first gets limits that are decided, not a blank.
  cycle_->run_once();
  return {};
}

Result<std::map<std::string, fabric::Installed>> Manager::installed() const {
  const auto kept = state_->all(store::StateKind::kInstalled);
  if (!kept) return tl::unexpected(kept.error());
  std::map<std::string, fabric::Installed> known;
  for (const auto& [device, text] : *kept) {
    auto decoded = decode_installed(text);
    if (!decoded)
      return fail(decoded.error().code,
                  fmt::format("{}: state kept for '{}': {}", (config_.state_dir / "state.db").string(), device,
                              decoded.error().message));
    known.emplace(device, std::move(*decoded));
  }
  return known;
}

foreflow::Status Manager::listen() {
  const auto& link = config_.link;
  {
    // Sessions may begin before start() returns; their answers wait for link_.
    std::lock_guard lock(link_mutex_);
    auto started = link::LinkServer::start(
        {link.listen, link.certificates.ca, link.certificates.certificate, link.certificates.key}, *ingest_);
    if (!started) return tl::unexpected(started.error());
    link_ = std::move(*started);
  }
  const auto& api = config_.api;
  auto serving = api::ApiServer::start(
      {api.listen, api.certificates.ca, api.certificates.certificate, api.certificates.key, api.operators},
      {*this, *this, *this});
  if (!serving) return tl::unexpected(serving.error());
  api_ = std::move(*serving);
  read_guests(config_.fleet.hypervisors);
  if (config_.forecast.training_ns != 0) training_->start(config_.forecast.training_ns);
  cycle_->start(config_.allocation.period_ns, [this] {
    anomalies_->look(*rosters_->current());
    if (auto stepped = rollup_->step(clock_.now()); !stepped)
      log::warning("roll-up waits", {{"reason", stepped.error().message}});
    if (clock_.now().value - history_saved_.value >= kSaveHistoryEveryNs) save_history();
  });
  return {};
}

// Hypervisors that are read already as they should be are left alone.
void Manager::read_guests(const std::vector<model::Hypervisor>& wanted) {
  const auto is_over = [&](const HypervisorParts& parts) {
    return std::ranges::find(wanted, parts.settings) == wanted.end();
  };
  for (auto& parts : hypervisors_) {
    if (!is_over(parts)) continue;
    parts.reader.reset();  // its thread uses the others
    guests_.on_decisions(parts.settings.host, {});
  }
  std::erase_if(hypervisors_, is_over);
  for (const auto& hypervisor : wanted) {
    if (std::ranges::find(hypervisors_, hypervisor, &HypervisorParts::settings) != hypervisors_.end()) continue;
    hypervisors_.push_back(read(hypervisor));
  }
}

Manager::HypervisorParts Manager::read(const model::Hypervisor& hypervisor) {
  HypervisorParts parts{.settings = hypervisor};
  parts.actuator = std::make_unique<fabric::HypervisorActuator>(
      hypervisor.host, [uri = hypervisor.uri] { return guest::open_control(uri); });
  parts.allocation =
      std::make_unique<GuestAllocation>(hypervisor.host, config_.allocation, config_.mode,
                                        GuestAllocation::Parts{*guest_forecasts_, guests_, *parts.actuator,
                                                               [this](auto ran) { audit_->note(std::move(ran)); }});
  const GuestReader::Hooks hooks{
      .open = [](const std::string& uri) { return guest::open_hypervisor(uri); },
      .stored = [this](const auto& points) { rollup_->observe(points, clock_.now()); },
      .sampled = [&allocation = *parts.allocation](const auto& sample) { allocation.on_sample(sample); },
      .read = [&allocation = *parts.allocation](const auto& reading) { allocation.on_reading(reading); }};
  parts.reader =
      std::make_unique<GuestReader>(hypervisor, GuestReader::Parts{*rosters_, *store_, guests_, clock_}, hooks);
  parts.reader->start();
  return parts;
}

Manager::~Manager() {
  api_.reset();
  hypervisors_.clear();
  std::unique_ptr<link::LinkServer> link;
  {
    std::lock_guard lock(link_mutex_);
    link = std::move(link_);
  }
  link.reset();
  if (cycle_) cycle_->stop();
  training_.reset();
  if (forecasts_) save_history();
}

void Manager::load_guest_history() {
  const auto loaded = guest_forecasts_->load(guest_history_file(config_).string());
  if (!loaded && loaded.error().code != ErrorCode::kNotFound)
    log::warning("history of CPU and memory begins anew", {{"reason", loaded.error().message}});
}

void Manager::save_history() {
  history_saved_ = clock_.now();
  if (auto saved = forecasts_->save(history_file(config_).string()); !saved)
    log::warning("forecast history not saved", {{"reason", saved.error().message}});
  if (!guest_forecasts_ || rosters_->current()->fleet().hypervisors.empty()) return;
  if (auto saved = guest_forecasts_->save(guest_history_file(config_).string()); !saved)
    log::warning("history of CPU and memory not saved", {{"reason", saved.error().message}});
}

foreflow::Status Manager::reload(const model::ManagerConfig& config) {
  if (auto loaded = rosters_->load(config.fleet); !loaded) return loaded;
  const auto note = [](std::string_view section, bool same) {
    if (!same) log::warning("change takes effect at the next start", {{"section", section}});
  };
  note("state_dir", config.state_dir == config_.state_dir);
  note("mode", config.mode == config_.mode);
  note("link", config.link == config_.link);
  note("api", config.api == config_.api);
  note("store", config.store == config_.store);
  note("forecast", config.forecast == config_.forecast);
  note("audit", config.audit == config_.audit);
  note("allocation", config.allocation == config_.allocation);
  read_guests(config.fleet.hypervisors);
  guests_.retain(*rosters_->current());
  guest_forecasts_->retain([&](VmId vm) { return rosters_->current()->vm(vm) != nullptr; });
  live_.retain(*rosters_->current());
  cycle_->wake();
  return {};
}

}  // namespace foreflow::app
