// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/signature_reload.h"

#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/log.h"

namespace foreflow::pipeline {
namespace {

// The name comes from the manager and must not lead out of the folder.
Result<std::filesystem::path> folder_of(const SignatureFolders& folders, const std::string& set) {
  if (set.empty()) return folders.signatures;
  const auto folder = folders.signatures / set;
  std::error_code error;
  if (set.starts_with('.') || set.find('/') != std::string::npos || !std::filesystem::is_directory(folder, error))
    return fail(
        ErrorCode::kNotFound,
        fmt::format("signature set '{}' is not installed on this dataplane; expected a folder of that name in {}", set,
                    folders.signatures.string()));
  return folder;
}

Result<std::shared_ptr<Signatures>> load(const SignatureFolders& folders, const std::string& set,
                                         std::uint16_t workers) {
  return folder_of(folders, set).and_then([&](const auto& folder) {
    return load_signatures(folder, folders.cache, workers);
  });
}

}  // namespace

SignatureReload::SignatureReload(Background& background, SignatureFolders folders, std::uint16_t workers)
    : background_(background), folders_(std::move(folders)), workers_(workers) {}

Status SignatureReload::start(Configurator& configurator, const wire::DesiredState& desired) {
  wish_ = {desired.signature_set, desired.signature_revision};
  if (folders_.signatures.empty()) return {};
  auto signatures = load(folders_, wish_.set, workers_);
  if (!signatures) return tl::unexpected(signatures.error());
  configurator.use(std::move(*signatures));
  configurator.finish();
  return {};
}

void SignatureReload::ask() {
  if (folders_.signatures.empty()) return log::info("no signatures to reload");
  asked_ = true;
}

void SignatureReload::follow(const wire::DesiredState& desired) {
  const Wish wish{desired.signature_set, desired.signature_revision};
  if (wish == wish_) return;
  wish_ = wish;
  ask();
}

std::optional<Problem> SignatureReload::tick(Configurator& configurator) {
  if (auto failed = take_compiled()) return failed;
  if (configurator.busy()) return std::nullopt;  // the workers may still hold the former ones
  if (waiting_) {
    const auto text = fmt::format("protocols that can be named: {}", waiting_->classifier->covered_protocols());
    configurator.use(std::exchange(waiting_, nullptr));
    return Problem{std::string(kReloaded), text};
  }
  if (asked_ && !compiling_) compile();
  return std::nullopt;
}

void SignatureReload::compile() {
  asked_ = false;
  compiling_ = true;
  background_.post([compiled = compiled_, folders = folders_, set = wish_.set, workers = workers_] {
    auto result = load(folders, set, workers);
    const std::lock_guard lock(compiled->mutex);
    compiled->result = std::move(result);
  });
}

std::optional<Problem> SignatureReload::take_compiled() {
  std::optional<Result<std::shared_ptr<Signatures>>> result;
  if (const std::unique_lock lock(compiled_->mutex, std::try_to_lock); lock) result.swap(compiled_->result);
  if (!result) return std::nullopt;
  compiling_ = false;
  if (!*result) return Problem{std::string(kReloadFailed), result->error().message};
  waiting_ = std::move(**result);
  return std::nullopt;
}

}  // namespace foreflow::pipeline
