// SPDX-License-Identifier: Apache-2.0
#include "dataplane/vm/directory.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace foreflow::vm {

Result<Directory> Directory::build(const std::vector<Attachment>& attachments) {
  Directory directory;
  const auto cells = std::bit_ceil(std::max<std::size_t>(attachments.size() * 2, 16));
  directory.destinations_ = Table<SegmentOf>(cells);
  directory.sources_ = Table<PortOf>(cells);
  directory.size_ = attachments.size();
  for (const auto& attachment : attachments) {
    if (!directory.destinations_.insert(attachment))
      return fail(ErrorCode::kInvalidConfig, fmt::format("MAC {} appears twice in segment {}; a MAC belongs to one VM",
                                                         to_string(attachment.mac), attachment.segment.value));
    if (!directory.sources_.insert(attachment))
      return fail(ErrorCode::kInvalidConfig,
                  fmt::format("MAC {} appears twice on port id {}; an access port needs one segment per MAC",
                              to_string(attachment.mac), attachment.port_id));
  }
  return directory;
}

}  // namespace foreflow::vm
