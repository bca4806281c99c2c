// SPDX-License-Identifier: Apache-2.0
// Plain values of Operations as the messages of operator.proto, and requests back.
// Place: host/api, for server.cc.
#pragma once
#include <string>

#include "common/wire/operator.pb.h"
#include "host/api/operations.h"
#include "host/api/policy_operations.h"

namespace foreflow::api {

namespace pb = foreflow::operations;

pb::ManagerStatus to_proto(const ManagerStatus& status);
pb::Vm to_proto(const VmStatus& status);
pb::Dataplane to_proto(const DataplaneStatus& status);
pb::Hypervisor to_proto(const HypervisorStatus& status);
pb::Guest to_proto(const model::GuestLive& guest);
pb::Forecast to_proto(const std::string& vm, Direction direction, const ForecastView& view);
pb::Rule to_proto(const Rule& rule);
pb::Flow to_proto(const Flow& flow);
pb::Policy to_proto(const model::Policy& policy);
pb::Bypass to_proto(const model::Bypass& bypass);
pb::PolicyDifference to_proto(const policy::Change& change);
pb::PolicyVersion to_proto(const policy::Version& version);

model::PolicyPatch from_proto(const pb::SetPolicyRequest& request);

}  // namespace foreflow::api
