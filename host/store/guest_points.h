// SPDX-License-Identifier: Apache-2.0
// What a hypervisor said of a VM as a point of the store.
// Place: host/store; the manager's readers of hypervisors call it. Pure.
#pragma once
#include "host/model/guest.h"
#include "host/store/series_store.h"

namespace foreflow::store {

// vm_guest, with the names of host/store/fields.h.
Point guest_point(const model::GuestSample& sample, const Tags& tags);

}  // namespace foreflow::store
