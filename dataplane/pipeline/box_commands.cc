// SPDX-License-Identifier: Apache-2.0
#include "dataplane/pipeline/box_commands.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <rte_telemetry.h>

#include "common/log.h"

namespace foreflow::pipeline {
namespace {

constexpr std::size_t kMostVms = 256;   // entries of one answer
constexpr std::size_t kMostFlows = 32;  // EAL answers with 16 KiB at most

// EAL hands a command nothing of its owner's, so the view has to be found by name.
std::mutex mutex;
std::shared_ptr<const BoxView> current;

std::shared_ptr<const BoxView> view() {
  const std::lock_guard lock(mutex);
  return current;
}

// One JSON object under construction; EAL takes it over with the object that it is added to.
class Object {
 public:
  explicit Object(rte_tel_data* data) : data_(data) { rte_tel_data_start_dict(data_); }
  Object() : Object(rte_tel_data_alloc()) {}
  Object& text(const char* name, const std::string& value) {
    rte_tel_data_add_dict_string(data_, name, value.substr(0, RTE_TEL_MAX_STRING_LEN - 1).c_str());
    return *this;
  }
  Object& number(const char* name, std::uint64_t value) {
    rte_tel_data_add_dict_u64(data_, name, value);
    return *this;
  }
  Object& object(const char* name, const Object& value) {
    rte_tel_data_add_dict_container(data_, name, value.data_, 0);
    return *this;
  }
  // EAL has no arrays of objects: they are members by number.
  Object& object(std::uint64_t number, const Object& value) { return object(std::to_string(number).c_str(), value); }

 private:
  rte_tel_data* data_;
};

std::optional<std::uint32_t> number_of(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view all(text);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(all.data(), all.data() + all.size(), value);
  if (error != std::errc{} || end != all.data() + all.size()) return std::nullopt;
  return value;
}

// Causes that occurred.
Object drops_of(const std::array<std::uint64_t, wire::kDropCauses>& drops) {
  Object object;
  for (std::size_t cause = 0; cause < drops.size(); ++cause)
    if (drops[cause] != 0) object.number(std::string(wire::kDropCauseNames[cause]).c_str(), drops[cause]);
  return object;
}

Object direction_of(const wire::DirectionSample& sample) {
  Object object;
  object.number("offered_packets", sample.offered_packets).number("offered_bytes", sample.offered_bytes);
  object.number("passed_packets", sample.passed_packets).number("passed_bytes", sample.passed_bytes);
  object.number("limited", sample.limited ? 1 : 0);
  if (sample.peak_10ms_bytes) object.number("peak_10ms_bytes", *sample.peak_10ms_bytes);
  return object.object("drops", drops_of(sample.drops));
}

int list_vms(const char* /*command*/, const char* parameter, rte_tel_data* answer) {
  const auto from = number_of(parameter).value_or(0);
  Object object(answer);
  const auto shown = view();
  if (!shown) return 0;
  std::size_t count = 0;
  for (const auto& vm : shown->vms) {
    if (vm.spec.id.value < from || count++ >= kMostVms) continue;
    object.text(std::to_string(vm.spec.id.value).c_str(), vm.spec.name);
  }
  return 0;
}

int show_vm(const char* /*command*/, const char* parameter, rte_tel_data* answer) {
  const auto id = number_of(parameter);
  const auto shown = view();
  if (!id || !shown) return -1;
  const auto vm =
      std::find_if(shown->vms.begin(), shown->vms.end(), [&](const auto& v) { return v.spec.id.value == *id; });
  if (vm == shown->vms.end()) return -1;
  Object object(answer);
  object.number("id", *id).text("name", vm->spec.name).number("worker", vm->worker);
  Object attachments;
  for (std::size_t i = 0; i < vm->spec.attachments.size(); ++i) {
    const auto& attachment = vm->spec.attachments[i];
    Object one;
    one.text("port", attachment.port).text("mac", to_string(attachment.mac));
    attachments.object(i, one.number("segment", attachment.segment.value));
  }
  object.object("attachments", attachments).number("interval_ns", shown->report.interval_ns);
  for (const auto& sample : shown->report.vms) {
    if (sample.vm != vm->spec.id) continue;
    for (const auto direction : kBothDirections)
      object.object(std::string(to_string(direction)).c_str(), direction_of(sample.directions[index(direction)]));
    object.number("connections_active", sample.connections_active)
        .number("untracked_packets", sample.untracked_packets);
  }
  return 0;
}

int list_ports(const char* /*command*/, const char* /*parameter*/, rte_tel_data* answer) {
  Object all(answer);
  const auto shown = view();
  if (!shown) return 0;
  for (const auto& port : shown->ports) {
    Object object;
    object.text("name", port.name).text("driver", port.driver);
    object.text("role", port.role == config::PortRole::kUplink ? "uplink" : "vm");
    object.number("rx_queues", port.rx_queues).number("tx_queues", port.tx_queues);
    object.number("queue_groups", port.queue_groups);
    for (const auto& sample : shown->report.ports) {
      if (sample.port != port.name) continue;
      object.number("rx_packets", sample.rx_packets).number("rx_bytes", sample.rx_bytes);
      object.number("tx_packets", sample.tx_packets).number("tx_bytes", sample.tx_bytes);
      object.number("full_packets", sample.full_packets).number("unattributed_packets", sample.unattributed_packets);
    }
    all.object(port.id, object);
  }
  return 0;
}

Object queue_of(const wire::QueueSample& sample) {
  Object object;
  object.number("passed_packets", sample.passed_packets).number("passed_bytes", sample.passed_bytes);
  object.number("dropped_packets", sample.dropped_packets).number("dropped_bytes", sample.dropped_bytes);
  object.number("waited_ns", sample.waited_ns).number("longest_ns", sample.longest_ns);
  object.number("waiting_packets", sample.waiting_packets);
  return object;
}

int list_queues(const char* /*command*/, const char* /*parameter*/, rte_tel_data* answer) {
  Object all(answer);
  const auto shown = view();
  if (!shown) return 0;
  for (const auto& port : shown->report.ports) {
    if (port.queues.empty()) continue;
    Object queues;
    for (const auto& sample : port.queues) queues.object(sample.queue, queue_of(sample));
    all.object(port.port.c_str(), queues);
  }
  return 0;
}

int list_workers(const char* /*command*/, const char* /*parameter*/, rte_tel_data* answer) {
  Object all(answer);
  const auto shown = view();
  if (!shown) return 0;
  for (std::size_t i = 0; i < shown->workers.size(); ++i) {
    const auto& worker = shown->workers[i];
    Object object;
    object.number("vms", worker.vms).number("rx_packets", worker.rx_packets);
    object.number("tx_packets", worker.tx_packets).number("dropped_packets", worker.dropped_packets);
    all.object(i, object);
  }
  return 0;
}

int list_flows(const char* /*command*/, const char* parameter, rte_tel_data* answer) {
  const auto vm = number_of(parameter);
  Object all(answer);
  const auto shown = view();
  if (!shown) return 0;
  std::size_t count = 0;
  for (const auto& flow : shown->report.top_flows) {
    if ((vm && flow.vm.value != *vm) || count >= kMostFlows) continue;
    Object object;
    object.number("vm", flow.vm.value).text("local", flow.local).text("remote", flow.remote);
    object.text("transport", flow.transport).text("protocol", flow.protocol).text("app", flow.app);
    object.text("category", std::string(to_string(flow.category))).number("confidence", flow.confidence);
    object.text("source", flow.source).text("behaviour", flow.behaviour);
    if (!flow.fingerprint.empty()) object.text("fingerprint", flow.fingerprint);
    object.number("encrypted_hello", flow.encrypted_hello ? 1 : 0);
    object.number("egress_bytes", flow.bytes[index(Direction::kEgress)]);
    object.number("ingress_bytes", flow.bytes[index(Direction::kIngress)]);
    all.object(count++, object.number("age_seconds", flow.age_seconds));
  }
  return 0;
}

int show_drops(const char* /*command*/, const char* /*parameter*/, rte_tel_data* answer) {
  Object object(answer);
  const auto shown = view();
  if (!shown) return 0;
  object.number("interval_ns", shown->report.interval_ns);
  object.object("drops", drops_of(shown->report.dataplane.drops));
  return 0;
}

struct Command {
  const char* name;
  telemetry_cb answer;
  const char* help;
};
constexpr std::array<Command, 7> kCommands{{
    {"/foreflow/vms", list_vms, "Ids and names of VMs. Parameter (optional): the first id"},
    {"/foreflow/vm", show_vm, "One VM in the last interval. Parameter: its id"},
    {"/foreflow/ports", list_ports, "Ports and what passed in the last interval"},
    {"/foreflow/queues", list_queues, "Queues of the uplinks where something happened in the last interval"},
    {"/foreflow/workers", list_workers, "Workers and what they have done since the start"},
    {"/foreflow/flows", list_flows, "The largest flows. Parameter (optional): a VM's id"},
    {"/foreflow/drops", show_drops, "Packets dropped in the last interval, by cause"},
}};

}  // namespace

BoxCommands::BoxCommands() {
  static const bool registered = [] {
    for (const auto& command : kCommands)
      if (rte_telemetry_register_cmd(command.name, command.answer, command.help) != 0)
        log::warning("EAL does not take a telemetry command", {{"command", command.name}});
    return true;
  }();
  static_cast<void>(registered);
}

BoxCommands::~BoxCommands() {
  const std::lock_guard lock(mutex);
  current.reset();
}

void BoxCommands::show(BoxView view) {
  auto next = std::make_shared<const BoxView>(std::move(view));
  const std::lock_guard lock(mutex);
  current.swap(next);
}

}  // namespace foreflow::pipeline
