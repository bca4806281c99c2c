// SPDX-License-Identifier: Apache-2.0
// How the emulated device says no: errno, the field at fault and a message with static storage, as drivers do.
// Place: dataplane/offload/emulated.
#pragma once
#include <rte_flow.h>
#include <rte_mtr.h>
#include <tl/expected.hpp>

namespace foreflow::offload::emulated {

struct FlowRefusal {
  int error;
  rte_flow_error_type field;
  const char* message;
};

struct MeterRefusal {
  int error;
  rte_mtr_error_type field;
  const char* message;
};

template <typename T>
using FlowAnswer = tl::expected<T, FlowRefusal>;
template <typename T>
using MeterAnswer = tl::expected<T, MeterRefusal>;

inline tl::unexpected<FlowRefusal> refuse(int error, rte_flow_error_type field, const char* message) {
  return tl::unexpected(FlowRefusal{error, field, message});
}
inline tl::unexpected<MeterRefusal> refuse(int error, rte_mtr_error_type field, const char* message) {
  return tl::unexpected(MeterRefusal{error, field, message});
}

}  // namespace foreflow::offload::emulated
