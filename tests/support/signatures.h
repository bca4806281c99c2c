// SPDX-License-Identifier: Apache-2.0
// The product's own signatures for tests, compiled once for all test processes of a build.
#pragma once

#include "support/source_paths.h"

namespace foreflow::test {

inline constexpr const char* kSignatures = FOREFLOW_SOURCE_DIR "/configs/signatures";
inline constexpr const char* kSignatureCache = FOREFLOW_BIN_DIR "/../signature-cache";

}  // namespace foreflow::test
