// SPDX-License-Identifier: Apache-2.0
// The manager's configuration. Example with all keys: configs/foreflowd.toml.
// Place: host/model; read by host/app and by `foreflow config check`.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "host/model/fleet.h"

namespace foreflow::model {

struct Certificates {
  std::filesystem::path ca, certificate, key;
  bool operator==(const Certificates&) const = default;
};

struct LinkSettings {
  std::string listen = "127.0.0.1:7443";  // host:port (port 0 = any free) or unix:/path
  Certificates certificates;
  bool operator==(const LinkSettings&) const = default;
};

struct ApiSettings {
  std::string listen = "127.0.0.1:7444";
  Certificates certificates;                       // where empty: those of the link
  std::vector<std::string> operators{"operator"};  // names in certificates that may use the API
  bool operator==(const ApiSettings&) const = default;
};

enum class StoreKind : std::uint8_t { kSqlite, kInfluxdb };

struct StoreSettings {
  StoreKind kind = StoreKind::kSqlite;
  std::filesystem::path path;  // sqlite: empty = STATE_DIR/series.db
  std::string url = "http://127.0.0.1:8086";
  std::string database = "foreflow";
  std::string username;
  std::filesystem::path password_file;
  std::filesystem::path ca;  // of the server; empty = the system's
  bool operator==(const StoreSettings&) const = default;
};

struct ForecastSettings {
  std::uint64_t interval_ns = 300 * kNanosPerSecond;         // grid of the allocated series
  std::uint64_t horizon_ns = 3600 * kNanosPerSecond;         // how far ahead
  std::uint64_t season_ns = 86'400 * kNanosPerSecond;        // what repeats
  std::uint64_t history_ns = 14 * 86'400 * kNanosPerSecond;  // kept in memory
  std::uint64_t training_ns = 86'400 * kNanosPerSecond;      // between two trainings of the global model; 0 = never
  bool operator==(const ForecastSettings&) const = default;
};

struct AllocationSettings {
  std::uint64_t period_ns = 10 * kNanosPerSecond;
  std::uint64_t hold_ns = 2 * 3600 * kNanosPerSecond;  // a want falls only after so long
  BytesPerSecond floor{125'000};                       // least want
  std::uint64_t committed_burst_ns = 50'000'000;       // CBS = this much of CIR
  std::uint64_t peak_burst_ns = 800'000'000;           // PBS = this much of PIR
  std::uint64_t shaped_burst_ns = 10'000'000;          // the same where the VM is shaped
  bool operator==(const AllocationSettings&) const = default;
};

struct AuditSettings {
  std::filesystem::path path;                                  // empty = STATE_DIR/audit
  std::uint64_t retention_ns = 30 * 86'400 * kNanosPerSecond;  // what is older is deleted
  Bytes most{2'000'000'000};                                   // on disk; the oldest go first
  bool operator==(const AuditSettings&) const = default;
};

struct ManagerConfig {
  std::filesystem::path state_dir = "/var/lib/foreflow";
  Mode mode = Mode::kEnforce;
  LinkSettings link;
  ApiSettings api;
  StoreSettings store;
  ForecastSettings forecast;
  AllocationSettings allocation;
  AuditSettings audit;
  Fleet fleet;
};

// Strict: unknown keys, wrong types and contradictions are errors with file and line, all at once. Relative paths of a
// file begin at its folder.
Result<ManagerConfig> load_config(const std::filesystem::path& file);
Result<ManagerConfig> parse_config(std::string_view text, std::string_view name);

// "1 dataplanes, 2 VMs, 2 tiers"
std::string summary(const ManagerConfig& config);

}  // namespace foreflow::model
