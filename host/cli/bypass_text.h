// SPDX-License-Identifier: Apache-2.0
// The threshold of a bypass as the tables show it: "10 MB", "200 packets", "off".
// Place: host/cli.
#pragma once
#include <string>

#include "common/wire/operator.pb.h"
#include "host/model/bypass.h"

namespace foreflow::cli {

inline std::string bypass_text(const operations::Bypass& bypass) {
  return model::format_bypass(
      {.off = bypass.off(), .bytes = Bytes{bypass.after_bytes()}, .packets = bypass.after_packets()});
}

}  // namespace foreflow::cli
