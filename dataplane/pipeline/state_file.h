// SPDX-License-Identifier: Apache-2.0
// The last desired state on disk, so that a dataplane that starts without its manager limits from the first packet on.
// Place: dataplane/pipeline. Thread safety: none; save() belongs off the control thread, as it waits for the disk.
#pragma once
#include <filesystem>
#include <optional>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::pipeline {

class StateFile {
 public:
  explicit StateFile(std::filesystem::path path) : path_(std::move(path)) {}

  // Replaces the file as a whole: written aside, synced, renamed.
  Status save(const wire::DesiredState& desired) const;
  // nullopt when there is none. kMalformed names the file; a torn or rotten file is never applied.
  Result<std::optional<wire::DesiredState>> load() const;

 private:
  std::filesystem::path path_;
};

}  // namespace foreflow::pipeline
