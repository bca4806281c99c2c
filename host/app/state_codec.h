// SPDX-License-Identifier: Apache-2.0
// The text (JSON) in which the manager keeps policies and targets in its StateStore.
// Place: host/app. Pure. What does not parse is kMalformed with the place.
#pragma once
#include <string>
#include <string_view>

#include "common/result.h"
#include "host/fabric/dpu_actuator.h"
#include "host/policy/version.h"

namespace foreflow::app {

std::string encode_version(const policy::Version& version);
Result<policy::Version> decode_version(std::string_view text);

std::string encode_installed(const fabric::Installed& installed);
Result<fabric::Installed> decode_installed(std::string_view text);

}  // namespace foreflow::app
