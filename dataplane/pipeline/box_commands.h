// SPDX-License-Identifier: Apache-2.0
// What an operator on the machine itself can ask, without the manager: commands of DPDK's telemetry socket
// (`dpdk-telemetry.py -f foreflow-ID`), answered in JSON from the last report.
//   /foreflow/vms[,FIRST]   ids and names, 256 at most, from id FIRST on
//   /foreflow/vm,ID         one VM: worker, attachments, both directions, connections
//   /foreflow/ports         each port with what passed in the last interval
//   /foreflow/workers       each worker with what it has done since the start
//   /foreflow/flows[,VM]    the largest flows, 32 at most
//   /foreflow/drops         packets dropped in the last interval, by cause
// Place: dataplane/pipeline. Thread safety: show() by the control thread; EAL answers from a thread of its own.
#pragma once
#include "dataplane/pipeline/box_view.h"

namespace foreflow::pipeline {

// The commands exist from the first object on, for the life of the process (EAL cannot take one back). They answer
// while there is an object, one at a time.
class BoxCommands {
 public:
  BoxCommands();
  ~BoxCommands();
  BoxCommands(const BoxCommands&) = delete;
  BoxCommands& operator=(const BoxCommands&) = delete;

  void show(BoxView view);
};

}  // namespace foreflow::pipeline
