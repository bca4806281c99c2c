// SPDX-License-Identifier: Apache-2.0
// Replaces the signatures of a running dataplane: compiled in the background, handed to the configurator, which swaps
// them with a grace period. What is wrong with new ones is told, and the old ones stay.
// Place: dataplane/pipeline. Thread safety: control thread. Nothing but start() waits.
// Invariant: at most two databases exist, the one in use and one that is being made or waits to replace it; what is
// asked for meanwhile is read afterwards, once for all who asked.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/pipeline/background.h"
#include "dataplane/pipeline/configurator.h"

namespace foreflow::pipeline {

// Kinds of what there is to tell.
inline constexpr std::string_view kReloaded = "signatures_reloaded";
inline constexpr std::string_view kReloadFailed = "signature_reload_failed";

struct SignatureFolders {
  std::filesystem::path signatures;  // the default set; a set "name" is the folder "name" in it. Empty: there are none
  std::filesystem::path cache;       // see Classifier::load()
};

class SignatureReload {
 public:
  SignatureReload(Background& background, SignatureFolders folders, std::uint16_t workers);

  // The signatures that `desired` asks for, read at once; they are in use when it returns.
  Status start(Configurator& configurator, const wire::DesiredState& desired);

  // The files shall be read again.
  void ask();
  // The same if `desired` names another set than the last one, or another revision.
  void follow(const wire::DesiredState& desired);
  // Moves on; afterwards the configurator may be busy. What there is to tell: new signatures are in use, or why not.
  std::optional<Problem> tick(Configurator& configurator);

  bool is_compiling() const { return compiling_; }
  // Everything that was asked for is done.
  bool is_idle() const { return !asked_ && !compiling_ && !waiting_; }

 private:
  // What the background has made. Shared, since the background ends after this object.
  struct Compiled {
    std::mutex mutex;
    std::optional<Result<std::shared_ptr<Signatures>>> result;
  };
  struct Wish {
    std::string set;
    std::uint64_t revision = 0;
    bool operator==(const Wish&) const = default;
  };

  void compile();
  std::optional<Problem> take_compiled();

  Background& background_;
  SignatureFolders folders_;
  std::uint16_t workers_;
  Wish wish_;
  std::shared_ptr<Compiled> compiled_ = std::make_shared<Compiled>();
  std::shared_ptr<Signatures> waiting_;
  bool asked_ = false;
  bool compiling_ = false;
};

}  // namespace foreflow::pipeline
