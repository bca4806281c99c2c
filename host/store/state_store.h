// SPDX-License-Identifier: Apache-2.0
// What the manager must not forget between two runs: ids of VMs, versions of the policy, what each device was told.
// Place: host/store; a small SQLite file of its own, whichever database holds the series.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "common/ids.h"
#include "common/result.h"

namespace foreflow::store {

// Numbers are those of the file. kOldPolicy: of the time before policies had versions; read, never written.
enum class StateKind : std::uint8_t { kOldPolicy = 0, kInstalled = 1, kPolicyVersion = 2 };

// Thread safety: all members from any thread. What a member returned as done is on disk.
class StateStore {
 public:
  // Creates the file when it is missing; kInvalidConfig: it is another program's, or of a newer Foreflow.
  static Result<std::unique_ptr<StateStore>> open(const std::filesystem::path& path);
  ~StateStore();

  // The id of a name: the same for ever, given at the first call; 1 is the first.
  Result<VmId> vm_id(const std::string& name);

  Status put(StateKind kind, const std::string& key, const std::string& text);
  Status erase(StateKind kind, const std::string& key);
  Result<std::map<std::string, std::string>> all(StateKind kind);

 private:
  class Impl;
  explicit StateStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foreflow::store
