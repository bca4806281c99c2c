// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/snapshot.h"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include <fmt/format.h>

#include "dataplane/pipeline/books.h"
#include "dataplane/pipeline/vlan.h"

namespace foreflow::pipeline {
namespace {

constexpr std::uint32_t kMostVlan = 4094;

class Builder {
 public:
  Builder(const SnapshotInput& input, std::vector<std::string>& problems)
      : input_(input), problems_(problems), snapshot_(std::make_unique<Snapshot>()) {}

  std::unique_ptr<Snapshot> build() {
    snapshot_->generation = input_.desired.generation;
    snapshot_->signatures = input_.signatures;
    snapshot_->queued_uplinks = input_.queued_uplinks;
    add_ports();
    add_tunnels();
    for (const auto& vm : input_.desired.vms) add_vm(vm);
    add_limits();
    add_treatments();
    add_bypasses();
    add_marked();
    mark_attachments();
    add_floods();
    auto directory = vm::Directory::build(attachments_);
    if (directory)
      snapshot_->directory = std::move(*directory);
    else
      problems_.push_back(directory.error().message);
    return std::move(snapshot_);
  }

 private:
  void add_ports() {
    auto smallest = std::numeric_limits<std::uint32_t>::max();
    for (const auto& port : input_.ports) smallest = std::min(smallest, port.largest_frame);
    snapshot_->fits_everywhere = largest_untagged(smallest);
    snapshot_->devices.assign(input_.ports.begin(), input_.ports.end());
    snapshot_->ports.resize(kMostPorts);
    for (const auto& port : input_.ports) {
      auto& entry = snapshot_->ports[port.id];
      entry.largest_frame = port.largest_frame;
      if (port.role != config::PortRole::kUplink) continue;
      entry.uplink = static_cast<std::uint8_t>(snapshot_->uplinks.size());
      snapshot_->uplinks.push_back(port.id);
    }
  }

  void add_tunnels() {
    for (const auto& spec : input_.desired.uplinks) {
      if (!spec.tunnel) continue;
      const auto port = std::ranges::find(input_.ports, spec.port, &port::Port::name);
      const auto uplink = port == input_.ports.end() ? kNoUplink : snapshot_->ports[port->id].uplink;
      if (uplink == kNoUplink) {
        problems_.push_back(fmt::format("tunnel of '{}': this dataplane has no such uplink", spec.port));
        continue;
      }
      auto tunnel = make_tunnel(*spec.tunnel, port->mac);
      if (!tunnel) {
        problems_.push_back(fmt::format("tunnel of '{}': {}", spec.port, tunnel.error().message));
        continue;
      }
      snapshot_->tunnels.resize(snapshot_->uplinks.size());
      snapshot_->tunnels[uplink] = std::move(*tunnel);
    }
  }

  void add_vm(const wire::VmSpec& spec) {
    const auto slot = input_.slots.find(spec.id);
    if (!slot) return problem(spec, "no free slot");
    if (snapshot_->vms.size() <= *slot) snapshot_->vms.resize(*slot + 1u);
    auto& entry = snapshot_->vms[*slot];
    entry.id = spec.id;
    entry.present = true;
    entry.allow_foreign_mac = spec.allow_foreign_mac;
    entry.owner = owner_of(*slot, input_.workers);
    if (!snapshot_->uplinks.empty()) entry.uplink = static_cast<std::uint8_t>(*slot % snapshot_->uplinks.size());
    add_group(spec, entry);
    for (const auto& attachment : spec.attachments) add_attachment(spec, attachment, *slot);
  }

  void add_group(const wire::VmSpec& spec, VmEntry& entry) {
    if (spec.group.empty()) return;
    const auto group = input_.groups.find(spec.group);
    if (group == input_.groups.end()) return problem(spec, fmt::format("there is no group '{}'", spec.group));
    entry.group = group->second;
  }

  void add_attachment(const wire::VmSpec& spec, const wire::Attachment& wish, vm::Slot slot) {
    const auto port =
        std::find_if(input_.ports.begin(), input_.ports.end(), [&](const auto& p) { return p.name == wish.port; });
    if (port == input_.ports.end()) return problem(spec, fmt::format("this dataplane has no port '{}'", wish.port));
    if (port->role != config::PortRole::kVm) return problem(spec, fmt::format("port '{}' is an uplink", wish.port));
    if (wish.mac == MacAddress{} || wish.mac.is_multicast())
      return problem(spec, fmt::format("{} is no unicast MAC", to_string(wish.mac)));
    if (is_overlay(wish.segment) && snapshot_->tunnel(snapshot_->vms[slot].uplink) == nullptr)
      return problem(spec, fmt::format("VNI {} needs a tunnel, and the uplink has none", vni_of(wish.segment)));
    if (!is_overlay(wish.segment) && wish.segment.value > kMostVlan)
      return problem(spec, fmt::format("segment {} is not supported; 0 to {} are", wish.segment.value, kMostVlan));
    if (!by_segment_.emplace(wish.segment, wish.mac).second)
      return problem(spec,
                     fmt::format("MAC {} is already used in segment {}", to_string(wish.mac), wish.segment.value));
    if (!by_port_.emplace(port->id, wish.mac).second)
      return problem(spec, fmt::format("MAC {} is already used on port '{}'", to_string(wish.mac), wish.port));

    auto& entry = snapshot_->ports[port->id];
    if (entry.attachments == 0) entry.segment = wish.segment;
    entry.sole_slot = entry.attachments++ == 0 || entry.sole_slot == slot ? slot : vm::kNoSlot;
    attachments_.push_back({wish.mac, wish.segment, port->id, slot, owner_of(slot, input_.workers), 0, {}});
  }

  void add_limits() {
    for (const auto& limit : input_.limits) {
      const auto slot = input_.slots.find(limit.vm);
      if (!slot || *slot >= snapshot_->vms.size()) continue;
      auto& entry = snapshot_->vms[*slot];
      entry.limits[index(limit.direction)] = limit.limit;
      entry.is_metered[index(limit.direction)] = true;
      entry.weights[index(limit.direction)] = limit.weight;
      entry.shaped[index(limit.direction)] = limit.shape;
    }
  }

  void add_treatments() {
    std::map<std::pair<vm::Slot, std::size_t>, TreatmentList> lists;
    for (const auto& treatment : input_.treatments) {
      const auto slot = input_.slots.find(treatment.what.vm);
      if (slot && *slot < snapshot_->vms.size()) lists[{*slot, index(treatment.what.direction)}].push_back(treatment);
    }
    for (auto& [where, list] : lists) {
      std::ranges::sort(list, {}, [](const auto& one) { return std::pair{one.priority, one.intent}; });
      snapshot_->vms[where.first].treatments[where.second] = std::make_shared<const TreatmentList>(std::move(list));
      snapshot_->treats = true;
    }
  }

  void add_bypasses() {
    if (input_.bypasses == nullptr) return;
    for (const auto& [vm, bypasses] : *input_.bypasses) {
      const auto slot = input_.slots.find(vm);
      if (!slot || *slot >= snapshot_->vms.size()) continue;
      snapshot_->vms[*slot].bypasses = bypasses;
      snapshot_->vms[*slot].treated = offload::treated_categories(input_.treatments, vm);
      snapshot_->bypasses = true;
    }
  }

  void add_marked() {
    snapshot_->steers = !input_.marked.empty();
    for (const auto vm : input_.marked)
      if (const auto slot = input_.slots.find(vm); slot && *slot < snapshot_->vms.size())
        snapshot_->vms[*slot].is_marked = true;
  }

  // What a packet has to know of its VM before anything else is read.
  void mark_attachments() {
    for (auto& attachment : attachments_) {
      const auto& entry = snapshot_->vms[attachment.slot];
      for (std::size_t at = 0; at < kDirections; ++at) {
        attachment.is_policed[at] = entry.is_metered[at] || entry.group != kNoGroup;
        attachment.is_treated[at] = entry.treatments[at] != nullptr || entry.is_marked;
      }
    }
  }

  void add_floods() {
    std::map<Segment, std::map<std::uint16_t, vm::Attachment>> lists;
    for (const auto& attachment : attachments_) lists[attachment.segment].emplace(attachment.port_id, attachment);
    for (const auto& [segment, receivers] : lists) {
      auto& list = snapshot_->floods.emplace_back(FloodList{segment, {}});
      for (const auto& [port_id, attachment] : receivers) list.receivers.push_back(attachment);
    }
    for (auto& attachment : attachments_)
      attachment.flood_list =
          static_cast<std::uint16_t>(snapshot_->flood(attachment.segment) - snapshot_->floods.data());
  }

  void problem(const wire::VmSpec& spec, std::string_view what) {
    problems_.push_back(fmt::format("VM {} ('{}'): {}", spec.id.value, spec.name, what));
  }

  const SnapshotInput& input_;
  std::vector<std::string>& problems_;
  std::unique_ptr<Snapshot> snapshot_;
  std::vector<vm::Attachment> attachments_;
  std::set<std::pair<Segment, MacAddress>> by_segment_;
  std::set<std::pair<std::uint16_t, MacAddress>> by_port_;
};

}  // namespace

const FloodList* Snapshot::flood(Segment segment) const noexcept {
  const auto list = std::lower_bound(floods.begin(), floods.end(), segment,
                                     [](const FloodList& a, Segment b) { return a.segment < b; });
  return list == floods.end() || list->segment != segment ? nullptr : &*list;
}

std::unique_ptr<Snapshot> build_snapshot(const SnapshotInput& input, std::vector<std::string>& problems) {
  return Builder(input, problems).build();
}

Result<std::shared_ptr<Signatures>> load_signatures(const std::filesystem::path& directory,
                                                    const std::filesystem::path& cache, std::uint16_t workers) {
  auto signatures = std::make_shared<Signatures>();
  auto classifier = classify::Classifier::load(directory, cache);
  if (!classifier) return tl::unexpected(classifier.error());
  signatures->classifier = std::move(*classifier);
  for (std::uint16_t worker = 0; worker < workers; ++worker) {
    auto inspector = classify::Inspector::create(*signatures->classifier);
    if (!inspector) return tl::unexpected(inspector.error());
    signatures->inspectors.push_back(std::move(*inspector));
  }
  return signatures;
}

}  // namespace foreflow::pipeline
