// SPDX-License-Identifier: Apache-2.0
// The plain structs of messages.h <-> their protobuf form. Whatever from_proto() accepts keeps the bounds of limits.h;
// its error (kMalformed) names the field: `desired_state.intents[3].police.pir: 10, expected at least the cir of 20`.
// Place: common/wire; only code that holds the gRPC stream includes this. Thread safety: pure functions.
#pragma once
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/wire/foreflow.pb.h"
#include "common/wire/messages.h"

namespace foreflow::wire {

// Text that came from packets or devices is cut to its bound and made valid UTF-8; everything else is passed as it is.
v1::FromDataplane to_proto(const FromDataplane& message);
v1::ToDataplane to_proto(const ToDataplane& message);
v1::Report to_proto(const Report& report);  // without its sequence, which stands in CompressedReport

Result<FromDataplane> from_proto(const v1::FromDataplane& message);
Result<ToDataplane> from_proto(const v1::ToDataplane& message);
Result<Report> from_proto(const v1::Report& report);

// `text` with broken UTF-8 replaced by '?' and cut to `longest` bytes between characters; protobuf refuses to parse
// strings that are not UTF-8, and server names in packets are any bytes.
std::string valid_text(std::string_view text, std::size_t longest);

}  // namespace foreflow::wire
