// SPDX-License-Identifier: Apache-2.0
#include "dataplane/offload/emulated/emulated.h"

#include "dataplane/offload/emulated/eswitch.h"

namespace foreflow::offload::emulated {

void reset(const EswitchConfig& config) { Eswitch::instance().reset(config); }
void inject(const Failure& failure) { Eswitch::instance().inject(failure); }
void lose_all() { Eswitch::instance().lose_all(); }
void set_clock(std::uint64_t (*now_ns)()) { Eswitch::instance().set_clock(now_ns); }
Usage usage() { return Eswitch::instance().usage(); }

}  // namespace foreflow::offload::emulated
