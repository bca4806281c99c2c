// SPDX-License-Identifier: Apache-2.0
#include "host/api/convert.h"

namespace foreflow::api {
namespace {

void put(pb::LimitPolicy& to, const model::Policy& policy, Direction direction) {
  const auto d = index(direction);
  to.set_guarantee(policy.guarantee[d].value);
  to.set_cap(policy.cap[d].value);
  to.set_weight(policy.weight[d]);
  to.set_packets(policy.packets[d]);
  to.set_least(policy.least[d].value);
  to.set_most(policy.most[d].value);
}

void get(const pb::LimitPatch& from, Direction direction, model::PolicyPatch& patch) {
  const auto d = index(direction);
  if (from.has_guarantee()) patch.guarantee[d] = BytesPerSecond{from.guarantee()};
  if (from.has_cap()) patch.cap[d] = BytesPerSecond{from.cap()};
  if (from.has_weight()) patch.weight[d] = from.weight();
  if (from.has_packets()) patch.packets[d] = from.packets();
  if (from.has_least()) patch.least[d] = BytesPerSecond{from.least()};
  if (from.has_most()) patch.most[d] = BytesPerSecond{from.most()};
}

}  // namespace

pb::Policy to_proto(const model::Policy& policy) {
  pb::Policy to;
  to.set_tier(policy.tier);
  to.set_group(policy.group);
  to.set_shape(policy.shape);
  to.set_burst_ns(policy.burst_ns);
  to.set_mode(std::string(model::to_string(policy.mode)));
  if (policy.bypass) *to.mutable_bypass() = to_proto(*policy.bypass);
  put(*to.mutable_egress(), policy, Direction::kEgress);
  put(*to.mutable_ingress(), policy, Direction::kIngress);
  return to;
}

pb::Bypass to_proto(const model::Bypass& bypass) {
  pb::Bypass to;
  to.set_off(bypass.off);
  to.set_after_bytes(bypass.bytes.value);
  to.set_after_packets(bypass.packets);
  to.set_idle_seconds(bypass.idle_seconds);
  return to;
}

pb::PolicyDifference to_proto(const policy::Change& change) {
  pb::PolicyDifference to;
  to.set_what(change.what);
  to.set_before(change.before);
  to.set_after(change.after);
  return to;
}

pb::PolicyVersion to_proto(const policy::Version& version) {
  pb::PolicyVersion to;
  to.set_number(version.number);
  to.set_time(version.time.value);
  to.set_author(version.author);
  to.set_comment(version.comment);
  to.set_text(version.text);
  return to;
}

model::PolicyPatch from_proto(const pb::SetPolicyRequest& request) {
  model::PolicyPatch patch;
  if (request.has_tier()) patch.tier = request.tier();
  if (request.has_group()) patch.group = request.group();
  if (request.has_shape()) patch.shape = request.shape();
  if (request.has_bypass())
    patch.bypass = model::Bypass{.off = request.bypass().off(),
                                 .bytes = Bytes{request.bypass().after_bytes()},
                                 .packets = request.bypass().after_packets(),
                                 .idle_seconds = request.bypass().idle_seconds()};
  if (request.has_burst_ns()) patch.burst_ns = request.burst_ns();
  for (const auto mode : {model::Mode::kObserve, model::Mode::kRecommend, model::Mode::kEnforce})
    if (request.mode() == model::to_string(mode)) patch.mode = mode;
  get(request.egress(), Direction::kEgress, patch);
  get(request.ingress(), Direction::kIngress, patch);
  return patch;
}

}  // namespace foreflow::api
