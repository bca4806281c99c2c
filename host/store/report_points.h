// SPDX-License-Identifier: Apache-2.0
// A dataplane's report as points of the store.
// Place: host/store; the manager's ingest calls it and hands the result to SeriesStore::append. Pure.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/ids.h"
#include "common/wire/messages.h"
#include "host/store/series_store.h"

namespace foreflow::store {

// Who sent the report: the tags that all its points share.
struct Origin {
  std::string host;
  std::string dpu;
};

using VmNameLookup = std::function<std::optional<std::string>(VmId)>;

// One dataplane point, then vm_net and vm_app for each VM. All drop causes and categories are written, zeros too, so
// that "none" differs from "not reported". A VM that the lookup does not know is left out.
std::vector<Point> report_points(const wire::Report& report, const Origin& origin, const VmNameLookup& name_of);

}  // namespace foreflow::store
