// SPDX-License-Identifier: Apache-2.0
#include "host/model/config.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/address.h"
#include "common/toml_reader.h"
#include "host/model/config_fleet.h"

namespace foreflow::model {
namespace {

void read_certificates(TomlTable& table, Certificates& out) {
  table.read("ca", out.ca);
  table.read("certificate", out.certificate);
  table.read("key", out.key);
}

void resolve_paths(ManagerConfig& config, const std::filesystem::path& base) {
  auto& link = config.link.certificates;
  auto& api = config.api.certificates;
  auto& store = config.store;
  for (auto* path : {&config.state_dir, &link.ca, &link.certificate, &link.key, &api.ca, &api.certificate, &api.key,
                     &store.path, &store.password_file, &store.ca, &config.audit.path})
    if (!path->empty() && path->is_relative()) *path = base / *path;
}

void check_listen(TomlTable& table, const std::string& listen) {
  if (const auto address = parse_address(listen); !address) table.error("listen", address.error().message);
}

void read_link(TomlTable& root, LinkSettings& out) {
  root.require("link");
  if (auto table = root.table("link")) {
    table->read("listen", out.listen);
    check_listen(*table, out.listen);
    for (const auto* key : {"ca", "certificate", "key"}) table->require(key);
    read_certificates(*table, out.certificates);
    table->finish();
  }
}

void read_api(TomlTable& root, const Certificates& link, ApiSettings& out) {
  out.certificates = link;
  if (auto table = root.table("api")) {
    table->read("listen", out.listen);
    check_listen(*table, out.listen);
    read_certificates(*table, out.certificates);
    table->read("operators", out.operators);
    if (out.operators.empty()) table->error("operators", "nobody could use the API; name at least one certificate");
    table->finish();
  }
}

void check_url(TomlTable& table, std::string_view url) {
  const auto scheme = url.starts_with("https://") ? 8u : url.starts_with("http://") ? 7u : 0u;
  if (scheme == 0) return table.error("url", fmt::format("'{}' does not begin with http:// or https://", url));
  const auto host = url.substr(scheme, url.find('/', scheme) - scheme);
  const bool has_port = host.rfind(':') != std::string_view::npos && !host.ends_with(']');
  if (const auto address = parse_peer_address(has_port ? std::string(host) : fmt::format("{}:80", host)); !address)
    table.error("url", address.error().message);
}

void read_store(TomlTable& root, const std::filesystem::path& state_dir, StoreSettings& out) {
  out.path = state_dir / "series.db";
  if (auto table = root.table("store")) {
    table->read_word("kind", out.kind, {{"sqlite", StoreKind::kSqlite}, {"influxdb", StoreKind::kInfluxdb}});
    table->read("path", out.path);
    table->read("url", out.url);
    check_url(*table, out.url);
    table->read("database", out.database);
    table->read("username", out.username);
    table->read("password_file", out.password_file);
    if (!out.username.empty() && out.password_file.empty())
      table->error("username", "needs a password_file (readable by its owner alone)");
    table->read("ca", out.ca);
    table->finish();
  }
}

void read_forecast(TomlTable& root, ForecastSettings& out) {
  auto table = root.table("forecast");
  if (!table) return;
  table->read("interval", out.interval_ns, parse_duration);
  table->read("horizon", out.horizon_ns, parse_duration);
  table->read("season", out.season_ns, parse_duration);
  table->read("history", out.history_ns, parse_duration);
  table->read("training", out.training_ns, parse_duration);
  if (out.training_ns != 0 && out.training_ns < 60 * kNanosPerSecond)
    table->error("training", "must be at least 1m, or 0s for never");
  if (out.interval_ns < kNanosPerSecond) table->error("interval", "must be at least 1s");
  const auto interval = std::max<std::uint64_t>(out.interval_ns, 1);
  if (out.horizon_ns / interval < 1 || out.horizon_ns / interval > 2016)
    table->error("horizon", "must be 1 to 2016 intervals");
  if (out.season_ns / interval < 2 || out.season_ns / interval > 10'080)
    table->error("season", "must be 2 to 10080 intervals");
  if (out.history_ns < 2 * out.season_ns || out.history_ns / interval > 100'000)
    table->error("history", "must be at least two seasons and at most 100000 intervals");
  table->finish();
}

void read_allocation(TomlTable& root, AllocationSettings& out) {
  auto table = root.table("allocation");
  if (!table) return;
  table->read("period", out.period_ns, parse_duration);
  if (out.period_ns < kNanosPerSecond / 10 || out.period_ns > 3600 * kNanosPerSecond)
    table->error("period", "must be 100ms to 1h");
  table->read("hold", out.hold_ns, parse_duration);
  table->read("floor", out.floor, parse_rate);
  const auto read_burst = [&](std::string_view key, std::uint64_t& burst_ns) {
    table->read(key, burst_ns, parse_duration);
    if (burst_ns < kNanosPerSecond / 1000 || burst_ns > 10 * kNanosPerSecond) table->error(key, "must be 1ms to 10s");
  };
  read_burst("committed_burst", out.committed_burst_ns);
  read_burst("peak_burst", out.peak_burst_ns);
  read_burst("shaped_burst", out.shaped_burst_ns);
  table->finish();
}

void read_audit(TomlTable& root, const std::filesystem::path& state_dir, AuditSettings& out) {
  out.path = state_dir / "audit";
  auto table = root.table("audit");
  if (!table) return;
  table->read("path", out.path);
  table->read("retention", out.retention_ns, parse_duration);
  if (out.retention_ns < 3'600 * kNanosPerSecond || out.retention_ns > 3'650 * 86'400 * kNanosPerSecond)
    table->error("retention", "must be 1h to 3650d");
  table->read("most", out.most, parse_bytes);
  if (out.most.value < 1'000'000) table->error("most", "must be at least 1M bytes");
  table->finish();
}

Result<ManagerConfig> read(Result<TomlDocument> document) {
  if (!document) return tl::unexpected(document.error());
  ManagerConfig config;
  auto& root = document->root();
  root.read("state_dir", config.state_dir);
  root.read_word("mode", config.mode,
                 {{"observe", Mode::kObserve}, {"recommend", Mode::kRecommend}, {"enforce", Mode::kEnforce}});
  read_link(root, config.link);
  read_api(root, config.link.certificates, config.api);
  read_store(root, config.state_dir, config.store);
  read_forecast(root, config.forecast);
  read_allocation(root, config.allocation);
  read_audit(root, config.state_dir, config.audit);
  config.fleet = read_fleet(root);
  root.finish();
  if (auto good = document->check(); !good) return tl::unexpected(good.error());
  return config;
}

}  // namespace

Result<ManagerConfig> load_config(const std::filesystem::path& file) {
  auto config = read(TomlDocument::load(file));
  if (config) resolve_paths(*config, std::filesystem::absolute(file).parent_path());
  return config;
}

std::string summary(const ManagerConfig& config) {
  return fmt::format("dataplanes: {}, VMs: {}, tiers: {}", config.fleet.dataplanes.size(), config.fleet.vms.size(),
                     config.fleet.tiers.size());
}

Result<ManagerConfig> parse_config(std::string_view text, std::string_view name) {
  return read(TomlDocument::parse(text, name));
}

}  // namespace foreflow::model
