// SPDX-License-Identifier: Apache-2.0
// The part of the gRPC service that is about the policy.
#include <fmt/format.h>

#include "host/api/convert.h"
#include "host/api/service.h"

namespace foreflow::api {
grpc::Status Service::SetPolicy(grpc::ServerContext* context, const pb::SetPolicyRequest* from, pb::PolicyChange* to) {
  return gate_.serve(*context, from->vm(), [&]() -> Status {
    return policy_.set_policy(from->vm(), from_proto(*from), caller(*context), from->dry_run())
        .map([&](const auto& change) {
          *to->mutable_before() = to_proto(change.before);
          *to->mutable_after() = to_proto(change.after);
          to->set_applied(!from->dry_run());
        });
  });
}

grpc::Status Service::ApplyPolicy(grpc::ServerContext* context, const pb::ApplyPolicyRequest* from,
                                  pb::PolicyAccepted* to) {
  return gate_.serve(*context, "", [&]() -> Status {
    policy::Proposal proposal{from->text(), from->name(), caller(*context), from->comment(), from->dry_run()};
    if (from->version() != 0) {
      auto version = policy::find(policy_.policy_history(), from->version());
      if (!version) return tl::unexpected(version.error());
      proposal.text = std::move(version->text);
      proposal.name = fmt::format("policy version {}", version->number);
    }
    return policy_.apply_policy(proposal).map([&](const auto& accepted) {
      to->set_version(accepted.version);
      for (const auto& change : accepted.changes) *to->add_changes() = to_proto(change);
    });
  });
}

grpc::Status Service::ListPolicyVersions(grpc::ServerContext* context, const pb::ListPolicyVersionsRequest* from,
                                         pb::PolicyVersionList* to) {
  return gate_.serve(*context, "", [&]() -> Status {
    const auto versions = policy_.policy_history();
    const bool one = from->newest() || from->number() != 0;
    if (!one) {
      for (auto version : versions) {
        version.text.clear();
        *to->add_versions() = to_proto(version);
      }
      return {};
    }
    const auto number = from->newest() && !versions.empty() ? versions.back().number : from->number();
    return policy::find(versions, number).map([&](const auto& version) { *to->add_versions() = to_proto(version); });
  });
}

}  // namespace foreflow::api
