// SPDX-License-Identifier: Apache-2.0
// One intent <-> its protobuf form, for the desired state on the wire and for what an operator asks.
// Place: common/wire. Thread safety: pure functions.
#pragma once
#include "common/wire/foreflow.pb.h"
#include "common/wire/intents.h"
#include "common/wire/validate.h"

namespace foreflow::wire {

void put(const Intent& intent, v1::Intent* out);
Intent get(const v1::Intent& in, const Place& place, Validator& validator);

}  // namespace foreflow::wire
