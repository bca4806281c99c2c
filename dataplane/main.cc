// SPDX-License-Identifier: Apache-2.0
// foreflow-dataplane: polls ports, counts and recognises every VM's traffic, enforces limits, reports to the manager.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <boost/program_options.hpp>
#include <fmt/format.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/version.h"
#include "dataplane/config/config.h"
#include "dataplane/config/preflight.h"
#include "dataplane/offload/enforcer.h"
#include "dataplane/offload/rte_flow_backend.h"
#include "dataplane/pipeline/control.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/port.h"

namespace foreflow {
namespace {

namespace options = boost::program_options;

constexpr int kOk = 0;
constexpr int kFailed = 1;
constexpr int kUsage = 2;

int report(const Error& error) {
  fmt::print(stderr, "foreflow-dataplane: {}\n", error.message);
  return kFailed;
}

options::options_description describe_options() {
  options::options_description all("Options");
  all.add_options()("config,c", options::value<std::string>()->value_name("FILE"), "configuration (TOML); required")(
      "check",
      "check the configuration and what it names (certificates, signatures, CPUs), say what is wrong, and exit")(
      "version", "print the version and exit")("help,h", "print this help and exit");
  return all;
}

void print_help(const options::options_description& all) {
  std::cout << "usage: foreflow-dataplane --config FILE [--check]\n\n"
               "Polls ports with DPDK, counts and recognises every VM's traffic, enforces the limits that\n"
               "the manager sends, and reports to it each second.\n\n"
            << all
            << "\nSignals: SIGTERM and SIGINT drain and exit 0; SIGHUP reloads the signatures and brings\n"
               "the ports to what FILE says then; its other keys need a restart.\n"
               "A commented example of the configuration: configs/dataplane.toml\n";
}

// CPUs for threads that are not workers: those that no worker polls on, as far as there are any.
std::vector<std::uint32_t> helper_cpus(const config::Config& config, const std::vector<std::uint32_t>& allowed) {
  std::vector<std::uint32_t> helpers;
  for (const auto cpu : allowed) {
    bool polled = false;
    for (std::uint32_t worker = 1; worker <= config.workers; ++worker)
      polled |= cpu == (config.cpus.empty() ? allowed[worker % allowed.size()] : config.cpus[worker]);
    if (!polled) helpers.push_back(cpu);
  }
  return helpers.empty() ? allowed : helpers;
}

telemetry::SessionConfig session_config(const config::Config& config) {
  return {config.manager.address,     config.manager.ca,          config.manager.certificate, config.manager.key,
          config.manager.server_name, config.state_dir / "spool", config.spool_size};
}

std::optional<classify::FlowClassifierConfig> classify_config(const config::Config& config) {
  if (config.signatures.empty()) return std::nullopt;
  const auto& given = config.classify;
  return classify::FlowClassifierConfig{.assemblies = static_cast<std::uint16_t>(given.buffers),
                                        .assemblies_per_vm = static_cast<std::uint16_t>(given.buffers_per_vm),
                                        .most_payloads = static_cast<std::uint8_t>(given.most_payloads),
                                        .most_bytes = static_cast<std::uint32_t>(given.most_bytes.value),
                                        .fingerprints = given.fingerprints};
}

pipeline::EngineConfig engine_config(const config::Config& config) {
  return {.workers = static_cast<std::uint16_t>(config.workers),
          .flows = {config.flow.capacity, config.flow.most_per_vm, config.flow.idle_seconds},
          .clock = config.clock,
          .idle_sleep = config.idle_sleep,
          .classify = classify_config(config)};
}

// A device meters on the wall's time: captures that are not replayed in real time are metered by the pipeline alone.
std::unique_ptr<offload::OffloadBackend> device_for(const config::ClockConfig& clock) {
  if (clock.source == config::ClockSource::kCapture && clock.speed != 1.0) return nullptr;
  return std::make_unique<offload::RteFlowBackend>();
}

// The ports of a replay are those that its captures were counted for.
std::optional<pipeline::PortReload> port_reload(const config::Config& config, const std::string& file,
                                                port::Ports& ports) {
  if (config.clock.source == config::ClockSource::kCapture) return std::nullopt;
  return pipeline::PortReload{ports, [file] { return config::load(file); }};
}

int run(const config::Config& config, const std::string& file) {
  auto signals = pipeline::Signals::block();
  if (!signals) return report(signals.error());
  const auto start_helper = [cpus = helper_cpus(config, port::allowed_cpus())] { pipeline::move_to_cpus(cpus); };
  auto eal = port::Eal::start(config);
  if (!eal) return report(eal.error());
  auto ports = port::Ports::start(config);
  if (!ports) return report(ports.error());
  auto engine = pipeline::Engine::create(engine_config(config), ports->pool());
  if (!engine) return report(engine.error());

  offload::Enforcer enforcer(device_for(config.clock));
  std::vector<std::uint16_t> ids;
  for (const auto& port : ports->all()) ids.push_back(port.id);
  const auto hello = pipeline::make_hello(config, ports->all(), enforcer.probe(ids));

  auto session = telemetry::Session::start(session_config(config), hello, start_helper);
  if (!session) return report(session.error());
  pipeline::Background background(start_helper);
  pipeline::Control control(
      {config, ports->all(), **engine, enforcer, **session, background, hello, port_reload(config, file, *ports)});
  if (auto ready = control.prepare(); !ready) return report(ready.error());
  if (auto launched = (*engine)->launch(); !launched) return report(launched.error());
  log::info("dataplane runs", {{"id", config.id}, {"version", kVersion}, {"workers", config.workers}});
  control.run(*signals);
  (*engine)->stop();
  control.conclude();
  log::info("dataplane ends", {{"id", config.id}});
  return kOk;
}

int check(const config::Config& config, const std::string& file) {
  if (const auto good = config::preflight(config, port::allowed_cpus(), SystemClock{}.now()); !good)
    return report(good.error());
  fmt::print("{}: good; ports: {}, workers: {}\n", file, config.ports.size(), config.workers);
  return kOk;
}

}  // namespace
}  // namespace foreflow

int main(int argc, char** argv) {
  using namespace foreflow;
  const auto all = describe_options();
  options::variables_map given;
  try {
    const auto style = options::command_line_style::default_style & ~options::command_line_style::allow_guessing;
    options::store(options::command_line_parser(argc, argv).options(all).positional({}).style(style).run(), given);
  } catch (const options::error& error) {
    fmt::print(stderr, "foreflow-dataplane: {}; see --help\n", error.what());
    return kUsage;
  }
  if (given.count("help") != 0) return print_help(all), kOk;
  if (given.count("version") != 0) return fmt::print("foreflow-dataplane {}\n", kVersion), kOk;
  if (given.count("config") == 0)
    return fmt::print(stderr, "foreflow-dataplane: --config FILE is missing; see --help\n"), kUsage;
  const auto config = config::load(given["config"].as<std::string>());
  if (!config) return report(config.error());
  if (given.count("check") != 0) return check(*config, given["config"].as<std::string>());
  return run(*config, given["config"].as<std::string>());
}
