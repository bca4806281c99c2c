// SPDX-License-Identifier: Apache-2.0
// What every store refuses to append, whatever its database would make of it.
// Place: host/store. Pure.
#pragma once
#include <optional>
#include <vector>

#include "common/result.h"
#include "host/store/series_store.h"

namespace foreflow::store {

inline constexpr std::size_t kLongestName = 256;   // bytes, of a tag or field
inline constexpr std::size_t kMostFields = 1'024;  // of a point

// kMalformed, naming the point: a VM's point without a VM, a dataplane's with one or without its id; no fields, a field
// twice, NaN or infinity; a name that is empty (fields), too long or no UTF-8; a sequence over 2^63.
Status check(const std::vector<Point>& points, const std::optional<Watermark>& watermark);

// Strict: no surrogates, nothing overlong.
bool is_utf8(std::string_view text);

}  // namespace foreflow::store
