// SPDX-License-Identifier: Apache-2.0
// The dataplane's configuration: what is fixed for the life of the process. Rates, VMs and policies are not here; they
// arrive from the manager as desired state.
// Place: dataplane/config. Example with all keys: configs/dataplane.toml.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/units.h"

namespace foreflow::config {

enum class PortRole : std::uint8_t { kVm, kUplink };

struct PortConfig {
  std::string name;    // how the manager's attachments call it
  std::string device;  // EAL device: "0000:03:00.0,representor=vf[0-3]", "net_af_packet0,iface=veth0", ...
  std::string netdev;  // which ethdev of the device, by ethdev name; empty = the device's own name
  PortRole role = PortRole::kVm;
  std::uint32_t queues = 0;  // receive and transmit queues; 0 = one per worker, as far as the device has them
  std::uint32_t queue_groups =
      0;                     // isolated ones of transmit queues, each as many as `queues`, for traffic that is steered
  std::uint32_t mtu = 1500;  // L3
  bool operator==(const PortConfig&) const = default;
};

struct EalConfig {
  bool hugepages = true;           // false is implied without root
  std::uint32_t memory_mb = 512;   // taken at start without hugepages
  std::vector<std::string> extra;  // further EAL arguments, as they are
};

enum class ClockSource : std::uint8_t { kWall, kCapture };

struct ClockConfig {
  ClockSource source = ClockSource::kWall;
  double speed = 1.0;  // capture: 1 = in real time, 0 = as fast as possible
};

struct FlowConfig {
  std::uint32_t capacity = 65'536;  // flows per worker; 0 = none is followed, so nothing is classified
  std::uint32_t most_per_vm = 16'384;
  std::uint32_t idle_seconds = 60;
};

// What a worker keeps while it recognises flows.
struct ClassifyConfig {
  std::uint32_t buffers = 1'024;  // of 2 KB, for hellos over several packets
  std::uint32_t buffers_per_vm = 256;
  std::uint32_t most_payloads = 10;  // looked at before a flow stays unknown
  Bytes most_bytes{32'768};          // likewise
  bool fingerprints = false;         // of TLS clients; hellos are then read whole
};

struct ManagerConfig {
  std::string address;      // host:port or unix:/path
  std::string server_name;  // name in the manager's certificate; empty = the host of `address`
  std::filesystem::path ca, certificate, key;
};

struct Config {
  std::string id;  // = the name in the certificate
  std::filesystem::path state_dir = "/var/lib/foreflow-dataplane";
  std::uint32_t workers = 1;
  std::vector<std::uint32_t> cpus;  // one for control, then one of its own per worker; empty = those of the process
  bool idle_sleep = true;           // sleep when there is nothing to do: <= 100 us, or until there is
  ClockConfig clock;
  EalConfig eal;
  ManagerConfig manager;
  FlowConfig flow;
  ClassifyConfig classify;
  std::filesystem::path signatures = "/usr/share/foreflow/signatures";  // directory; empty = no classification
  Bytes spool_size{64u << 20};
  std::vector<PortConfig> ports;
};

// Strict: unknown keys, wrong types and contradictions are errors with file and line, all at once.
Result<Config> load(const std::filesystem::path& file);
Result<Config> parse(std::string_view text, std::string_view name);

}  // namespace foreflow::config
