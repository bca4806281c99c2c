// SPDX-License-Identifier: Apache-2.0
// An emulated eSwitch behind the public rte_flow and rte_mtr calls, for machines without the hardware: rules and meters
// act on every packet that a port receives, before the caller of rte_eth_rx_burst sees it.
// Place: dataplane/offload/emulated. Linked with -Wl,--wrap (dataplane/emulated.cmake) into foreflow-dataplane-emulated
// and tests, never into the product; nothing outside includes this header but tests.
// Thread safety: every function from any thread.
//
// It emulates the transfer domain of one eSwitch that all ports of the process belong to; the lowest port is the
// transfer proxy. It refuses what mlx5 in switchdev mode refuses, with the errno and the words of DPDK 22.11's driver.
// It is stricter in two points: transfer rules and meters are taken by the proxy port only, and a rule without a port
// is one for all ports.
//
// A program is configured by the environment variable FOREFLOW_ESWITCH, a list of key=value, for example
//   FOREFLOW_ESWITCH="rules=65536,meters=8192,fail=flow_create@3"
//   rules=N, meters=N    capacity
//   clock=tsc            meters run on the processor's time (default)
//   clock=rx_timestamp   meters run on the packets' receive timestamps, as net_pcap gives them
//   timestamp_ns=N       length of one unit of these (default 1000, as net_pcap's)
//   fail=CALL@N          the N-th call from now fails with EIO; may be repeated. CALL is a name of kCallNames
//   lose=CALL@N          right before the N-th call the device is reset and has lost all it held; may be repeated
//   profile=mlx5         transfer rules and meters; they vanish with their owner (default)
//   profile=sticky       the same, but what a process leaves behind is still there for the next one
//   profile=cnxk         meters, but no transfer rules
//   profile=none         no flow engine: every call answers ENOSYS
//   memory=FILE          keeps the device's contents there; without it they are in private memory and nothing survives
//   lying_validate=1     rte_flow_validate accepts everything
//   colour_aware=1       a meter may go by the colour that the one before it gave
//   metadata=0           rules neither write nor match metadata
//   update_delay_us=N    how long the change of a meter's profile takes
//   insert_delay_us=N    how long the creation of a rule takes
//   counter_delay_us=N   how old a rule's counters may be when they are read
#pragma once
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace foreflow::offload::emulated {

enum class Call : std::uint8_t {
  kFlowValidate,
  kFlowCreate,
  kFlowDestroy,
  kFlowQuery,
  kFlowFlush,
  kProfileAdd,
  kProfileDelete,
  kPolicyAdd,
  kPolicyDelete,
  kMeterCreate,
  kMeterDestroy,
  kMeterUpdate,
  kMeterStats,
};
inline constexpr std::size_t kCalls = 13;
inline constexpr std::array<std::string_view, kCalls> kCallNames{
    "flow_validate", "flow_create",   "flow_destroy", "flow_query",    "flow_flush",   "profile_add", "profile_delete",
    "policy_add",    "policy_delete", "meter_create", "meter_destroy", "meter_update", "meter_stats"};

// The `nth` call from now (1 = the next) answers `error`, or finds everything lost; the ones before and after it work.
struct Failure {
  Call call = Call::kFlowCreate;
  std::uint64_t nth = 1;
  int error = EIO;
  const char* message = "injected failure";  // of static storage, as drivers' are
  bool loses_all = false;                    // instead of the error
};

enum class Profile : std::uint8_t { kMlx5, kSticky, kCnxk, kNone };
inline constexpr std::array<std::string_view, 4> kProfileNames{"mlx5", "sticky", "cnxk", "none"};

enum class TimeSource : std::uint8_t { kTsc, kRxTimestamp };

struct EswitchConfig {
  std::uint32_t rules = 65'536;
  std::uint32_t meters = 8'192;
  TimeSource time = TimeSource::kTsc;
  std::uint64_t timestamp_ns = 1'000;
  Profile profile = Profile::kMlx5;
  std::string memory;
  bool validate_lies = false;
  bool colour_aware = false;
  bool metadata = true;
  std::uint32_t update_delay_us = 0;
  std::uint32_t insert_delay_us = 0;
  std::uint32_t counter_delay_us = 0;
  std::vector<Failure> failures;
};

// The error names the key or value that is wrong and what would be right.
Result<EswitchConfig> parse_config(std::string_view text);

// An empty device with this configuration, on the processor's clock. What was created before must not be used again.
void reset(const EswitchConfig& config);
void inject(const Failure& failure);
// What a reset of the device does: no rule, meter, profile or policy is left, and handles of them are unknown to it.
void lose_all();

// Replaces kTsc by another source of nanoseconds; null restores it. It is called by every receiving thread.
void set_clock(std::uint64_t (*now_ns)());

struct Usage {
  std::size_t rules = 0;
  std::size_t meters = 0;
  std::size_t profiles = 0;
  std::size_t policies = 0;
  bool empty() const { return rules + meters + profiles + policies == 0; }
};
Usage usage();

}  // namespace foreflow::offload::emulated
