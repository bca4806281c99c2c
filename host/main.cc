// SPDX-License-Identifier: Apache-2.0
// foreflowd: options, configuration, manager, signals.
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/version.h"
#include "host/app/manager.h"
#include "host/app/options.h"
#include "host/app/preflight.h"

namespace {

using namespace foreflow;

constexpr int kUsage = 2;

int report(const Error& error, int status = EXIT_FAILURE) {
  fmt::print(stderr, "foreflowd: {}\n", error.message);
  return status;
}

int check(const model::ManagerConfig& config, const std::filesystem::path& file) {
  if (const auto good = app::preflight(config, SystemClock{}.now()); !good) return report(good.error());
  fmt::print("{}: good; {}\n", file.string(), model::summary(config));
  return EXIT_SUCCESS;
}

// Blocked here, before the first thread, so that sigwait() alone receives them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

void reload(app::Manager& manager, const std::filesystem::path& file) {
  const auto config = model::load_config(file);
  const Status loaded = config ? manager.reload(*config) : Status(tl::unexpected(config.error()));
  if (loaded)
    log::info("configuration reloaded", {{"file", file.string()}});
  else
    log::error("configuration rejected, nothing changed", {{"reason", loaded.error().message}});
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = app::parse_options(argc, argv);
  if (!options) return report(options.error(), kUsage);
  if (!options->answer.empty()) return fmt::print("{}", options->answer), EXIT_SUCCESS;
  if (options->verbose) log::set_level(log::Level::kDebug);
  const auto config = model::load_config(options->config);
  if (!config) return report(config.error());
  if (options->check) return check(*config, options->config);

  const auto signals = block_signals();
  const auto manager = app::Manager::start(*config);
  if (!manager) return report(manager.error());
  log::info("ready", {{"version", kVersion},
                      {"link", config->link.listen},
                      {"link_port", (*manager)->link_port()},
                      {"api", config->api.listen},
                      {"api_port", (*manager)->api_port()},
                      {"mode", model::to_string(config->mode)}});
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) reload(**manager, options->config);
  log::info("draining", {{"signal", signal}});
  return EXIT_SUCCESS;
}
