// SPDX-License-Identifier: Apache-2.0
// Enforces targets on dataplanes: generations, pushes over the session, and what the dataplane answered.
// Place: host/fabric.
#pragma once
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "host/fabric/actuator.h"
#include "host/fabric/meter_watch.h"

namespace foreflow::fabric {

// What has to survive a restart of the manager: the next generation must be new, and a dataplane that says Hello before
// the first cycle gets what it had.
struct Installed {
  Generation generation;
  Target target;
  std::uint64_t signature_revision = 0;
};

class DpuActuator final : public Actuator {
 public:
  // Queues a desired state for a dataplane; kNotFound when it is not connected.
  using Send = std::function<Status(const std::string& dataplane, const wire::DesiredState& desired)>;
  // Keeps what is about to be sent.
  using Save = std::function<Status(const Installed& installed)>;

  DpuActuator(Send send, Save save, std::map<std::string, Installed> known);

  Status verify(const Target& target) const override;
  Status apply(const Target& target) override;
  Result<ReadBack> read_back(const std::string& device) const override;
  Status revert(const std::string& device) override;
  // Asks for the signature files to be read again; kNotFound when the device was never told anything.
  Status reload_signatures(const std::string& device);

  // From the session of a dataplane. on_hello answers with the present desired state, whatever the dataplane has.
  Status on_hello(const wire::Hello& hello);
  void on_applied(const std::string& dataplane, const wire::Applied& applied);
  // What its meters passed beside what they were told; nothing while a change is under way.
  std::vector<Deviation> on_report(const std::string& dataplane, const wire::Report& report);

 private:
  struct Device {
    Installed installed;
    std::optional<Target> previous;
    wire::Applied applied;
    std::map<IntentId, wire::IntentStats> stats;
    MeterWatch watch;
  };
  Status install(Device& device, const Target& target);  // with mutex_ held
  Status push(const Device& device) const;               // with mutex_ held

  Send send_;
  Save save_;
  mutable std::mutex mutex_;
  std::map<std::string, Device> devices_;
};

}  // namespace foreflow::fabric
