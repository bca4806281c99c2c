// SPDX-License-Identifier: Apache-2.0
#include "common/wire/desired_bytes.h"

#include "common/wire/convert.h"

namespace foreflow::wire {

std::string to_bytes(const DesiredState& desired) { return to_proto(ToDataplane{desired}).SerializeAsString(); }

Result<DesiredState> desired_from_bytes(std::string_view bytes) {
  v1::ToDataplane message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return fail(ErrorCode::kMalformed, "no message of the wire protocol");
  auto plain = from_proto(message);
  if (!plain) return tl::unexpected(plain.error());
  if (auto* desired = std::get_if<DesiredState>(&*plain)) return std::move(*desired);
  return fail(ErrorCode::kMalformed, "not a desired state");
}

}  // namespace foreflow::wire
