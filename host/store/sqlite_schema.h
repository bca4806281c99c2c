// SPDX-License-Identifier: Apache-2.0
// The tables of SqliteStore and how a file becomes one of ours.
// Place: host/store.
//
// series(id, measurement, subject, host, dpu)   subject: the VM, or the dataplane's id of `dataplane`
// field(id, name)                               dictionary of the blobs (field_codec.h)
// points_raw, points_1m, points_5m, points_1h (series, time, fields)   WITHOUT ROWID: a series lies together, in order
// watermark(dataplane, boot, sequence, touched)
#pragma once
#include <filesystem>
#include <string_view>

#include "common/result.h"
#include "host/store/series_store.h"
#include "host/store/sqlite.h"

namespace foreflow::store {

std::string_view points_table(Resolution resolution);

// Creates the tables in an empty file. kInvalidConfig: a database of another program, or of a newer Foreflow.
Status prepare_schema(sqlite::Connection& connection, const std::filesystem::path& path);

}  // namespace foreflow::store
