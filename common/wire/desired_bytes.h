// SPDX-License-Identifier: Apache-2.0
// A desired state as bytes, for a dataplane that keeps its last one on disk.
// Place: common/wire; keeps protobuf out of its users. Thread safety: pure functions.
#pragma once
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/wire/messages.h"

namespace foreflow::wire {

std::string to_bytes(const DesiredState& desired);
// Bounds as on the stream; kMalformed names the field.
Result<DesiredState> desired_from_bytes(std::string_view bytes);

}  // namespace foreflow::wire
