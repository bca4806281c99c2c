// SPDX-License-Identifier: Apache-2.0
// What the device holds, in a file of shared memory that outlives the process: one record per profile, policy, meter
// and rule. A device of the profile "sticky" hands them to its next owner, one of "mlx5" has lost them with the last.
// Place: dataplane/offload/emulated; the eSwitch and its meter table write it, tests look into it from other processes.
// Thread safety: one owner, whose calls the eSwitch's mutex orders; inspect() from any process.
#pragma once
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/result.h"
#include "common/units.h"
#include "dataplane/offload/emulated/emulated.h"
#include "dataplane/offload/emulated/rule_check.h"

namespace foreflow::offload::emulated {

struct ProfileRecord {
  std::uint16_t port;
  std::uint32_t id;
  std::uint64_t cir, pir;  // as asked, bytes per second
  std::uint64_t cbs, pbs;  // bytes
};
enum class FateKind : std::uint8_t { kEnd, kDrop, kJump, kMeter };
struct PolicyRecord {
  std::uint16_t port;
  std::uint32_t id;
  std::array<FateKind, 3> fates;         // green, yellow, red
  std::array<std::uint32_t, 3> targets;  // group or meter
};
struct MeterRecord {
  std::uint16_t port;
  std::uint32_t id;
  std::uint32_t profile;
  std::uint32_t policy;
  bool shared;
  bool counts_drops;
  bool colour_aware = false;
};
struct RuleRecord {
  std::uint16_t port;
  RuleDraft draft;
};
using Record = std::variant<ProfileRecord, PolicyRecord, MeterRecord, RuleRecord>;

class DeviceMemory {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNowhere = UINT32_MAX;

  DeviceMemory();  // keeps nothing
  ~DeviceMemory();
  DeviceMemory(DeviceMemory&&) noexcept;
  DeviceMemory& operator=(DeviceMemory&&) noexcept;

  // Becomes the owner of the device in `file`, which is created when it is not there. Errors: kAlreadyExists (another
  // process owns it), kInvalidConfig (no memory of this program), kIo.
  static Result<DeviceMemory> open(const std::string& file, Slot slots, bool sticky);

  // What the last owner left in a sticky device, in an order in which it can be created again; the memory
  // is empty afterwards. What is put until claim() counts as that owner's.
  std::vector<Record> take();
  void claim();

  // kNowhere when nothing is kept, or when all slots are taken.
  Slot put(const Record& record);
  void replace(Slot slot, const Record& record);
  void erase(Slot slot);

  // What the device in `file` holds now, as seen from outside: nothing when its owner is gone and it is not sticky.
  struct Contents {
    Usage usage;
    std::size_t strays = 0;         // objects that no living process put there
    std::uint64_t committed = 0;    // sum of the meters' CIR, bytes per second
    std::uint64_t rule_writes = 0;  // rules created and destroyed since the device was made
    UnixNanos written;              // when anything in it was changed last
  };
  static Result<Contents> inspect(const std::string& file);

 private:
  class Mapping;
  void note_write(const Record& record);

  std::unique_ptr<Mapping> mapping_;
};

}  // namespace foreflow::offload::emulated
