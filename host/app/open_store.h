// SPDX-License-Identifier: Apache-2.0
// The one place that knows which databases there are.
// Place: host/app.
#pragma once
#include <filesystem>
#include <memory>

#include "common/result.h"
#include "host/model/config.h"
#include "host/store/series_store.h"

namespace foreflow::app {

Result<std::unique_ptr<store::SeriesStore>> open_store(const model::StoreSettings& settings,
                                                       const std::filesystem::path& state_dir);

}  // namespace foreflow::app
