// SPDX-License-Identifier: Apache-2.0
#include "host/store/series_store.h"

namespace foreflow::store {

std::string_view to_string(Measurement measurement) {
  switch (measurement) {
    case Measurement::kVmNet:
      return "vm_net";
    case Measurement::kVmApp:
      return "vm_app";
    case Measurement::kVmGuest:
      return "vm_guest";
    case Measurement::kVmProfile:
      return "vm_profile";
    case Measurement::kVmForecast:
      return "vm_forecast";
    case Measurement::kVmAlloc:
      return "vm_alloc";
    case Measurement::kDataplane:
      return "dataplane";
  }
  return "unknown";
}

}  // namespace foreflow::store
